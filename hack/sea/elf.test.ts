import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { stripped } from './elf.ts';

it('keeps all that is loaded of a program, and nothing behind it', async () => {
  const elf = await readFile('/bin/true');
  const small = stripped(elf);
  expect(small.length).toBeLessThan(elf.length);
  const start = 0x40;
  expect(small.subarray(start).equals(elf.subarray(start, small.length))).toBe(true);
  // Without a table of sections.
  expect([small.readBigUInt64LE(0x28), small.readUInt16LE(0x3c), small.readUInt16LE(0x3e)]).toEqual([
    0n,
    0,
    0,
  ]);
  expect(stripped(small)).toEqual(small);
});

it('refuses what is no program', () => {
  expect(() => stripped(Buffer.from('#!/bin/sh\n'))).toThrow(expect.objectContaining({ code: 'Invalid' }));
  expect(() => stripped(Buffer.alloc(100))).toThrow(expect.objectContaining({ code: 'Invalid' }));
});
