import { expect, it } from 'vitest';
import { parseLdd } from './libraries.ts';

it('finds the libraries and the loader in what ldd prints', () => {
  const output = [
    '\tlinux-vdso.so.1 (0x00007f6d)',
    '\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f60)',
    '\t/lib64/ld-linux-x86-64.so.2 (0x00007f6f)',
  ].join('\n');
  expect(parseLdd('nginx', output)).toEqual([
    '/lib/x86_64-linux-gnu/libc.so.6',
    '/lib64/ld-linux-x86-64.so.2',
  ]);
});

it('names a library that is not there', () => {
  expect(() => parseLdd('nginx', '\tlibpcre2-8.so.0 => not found')).toThrow('nginx needs libpcre2-8.so.0');
});
