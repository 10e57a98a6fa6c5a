import { expect, it } from 'vitest';
import { busyboxEntries } from './busybox.ts';
import { parseLdd } from './nginx.ts';

it('links every applet to the one program', () => {
  const entries = busyboxEntries(Buffer.from('elf'), ['bin/busybox', 'bin/sh', 'usr/bin/env']);
  expect(entries).toContainEqual({
    kind: 'file',
    path: 'bin/busybox',
    content: Buffer.from('elf'),
    mode: 0o755,
  });
  expect(entries).toContainEqual({ kind: 'symlink', path: 'usr/bin/env', target: '/bin/busybox' });
  expect(entries.filter((entry) => entry.path === 'bin/busybox')).toHaveLength(1);
});

it('lets everybody write into /tmp', () => {
  expect(busyboxEntries(Buffer.of(), [])).toContainEqual({ kind: 'directory', path: 'tmp', mode: 0o1777 });
});

it('finds the libraries and the loader in what ldd prints', () => {
  const output = [
    '\tlinux-vdso.so.1 (0x00007f6d)',
    '\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f60)',
    '\t/lib64/ld-linux-x86-64.so.2 (0x00007f6f)',
  ].join('\n');
  expect(parseLdd(output)).toEqual(['/lib/x86_64-linux-gnu/libc.so.6', '/lib64/ld-linux-x86-64.so.2']);
});

it('names a library that is not there', () => {
  expect(() => parseLdd('\tlibpcre2-8.so.0 => not found')).toThrow('libpcre2-8.so.0');
});
