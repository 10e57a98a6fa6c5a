import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { createSealer } from './seal.ts';
import { loadSealKey } from './seal-key.ts';

const key = randomBytes(32);
const corrupt = expect.objectContaining({ code: 'Corrupt' });

property.prop([fc.string(), fc.uint8Array()])('what is sealed for a row opens for that row', (row, plain) => {
  const sealer = createSealer(key);
  expect(Buffer.from(sealer.open(row, sealer.seal(row, plain))).equals(plain)).toBe(true);
});

property.prop([fc.uint8Array({ minLength: 1 }), fc.nat()])('a flipped bit is noticed', (plain, at) => {
  const sealer = createSealer(key);
  const sealed = sealer.seal('row', plain);
  const byte = at % sealed.length;
  sealed[byte] = (sealed[byte] ?? 0) ^ (1 << (at % 8));
  expect(() => sealer.open('row', sealed)).toThrow(corrupt);
});

property.prop([fc.uint8Array(), fc.nat()])('a truncated envelope is noticed', (plain, cut) => {
  const sealer = createSealer(key);
  const sealed = sealer.seal('row', plain);
  expect(() => sealer.open('row', sealed.subarray(0, cut % sealed.length))).toThrow(corrupt);
});

property.prop([fc.string(), fc.string()])('another row does not open it', (row, other) => {
  fc.pre(row !== other);
  const sealer = createSealer(key);
  expect(() => sealer.open(other, sealer.seal(row, Buffer.from('x')))).toThrow(corrupt);
});

test('another key does not open it, and the plain text is not in it', () => {
  const sealed = createSealer(key).seal('row', Buffer.from('s3cret-value'));
  expect(Buffer.from(sealed).includes('s3cret-value')).toBe(false);
  expect(() => createSealer(randomBytes(32)).open('row', sealed)).toThrow(
    "sealed row row does not open with this node's seal key",
  );
});

test('two seals of the same bytes differ', () => {
  const sealer = createSealer(key);
  const plain = Buffer.from('same');
  expect(Buffer.from(sealer.seal('row', plain)).equals(sealer.seal('row', plain))).toBe(false);
});

test('the key file is made once, readable by its owner only, and refused when it has another length', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'seal-'));
  try {
    const path = join(folder, 'seal.key');
    const made = await loadSealKey(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(Buffer.from(await loadSealKey(path)).equals(made)).toBe(true);
    await writeFile(path, 'short');
    await expect(loadSealKey(path)).rejects.toThrow('has 5 bytes instead of 32');
  } finally {
    await rm(folder, { recursive: true });
  }
});
