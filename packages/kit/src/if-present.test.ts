import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ifPresent } from './if-present.ts';

const here = import.meta.dirname;

it('gives what there is, and undefined for a file or a folder that is not there', async () => {
  expect(await ifPresent(readFile(import.meta.filename, 'utf8'))).toContain('ifPresent');
  expect(await ifPresent(readFile(join(here, 'absent')))).toBeUndefined();
  expect(await ifPresent(readFile(join(here, 'absent', 'file')))).toBeUndefined();
});

it('rejects where there is something that cannot be read', async () => {
  await expect(ifPresent(readFile(here))).rejects.toThrow('EISDIR');
  await expect(ifPresent(readFile(join(import.meta.filename, 'below')))).rejects.toThrow('ENOTDIR');
});
