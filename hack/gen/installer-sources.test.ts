import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { installerSources } from './installer-sources.ts';
import { units } from './units.ts';

test.each([installerSources, units])('what $name has checked in is what is generated', async (generator) => {
  const root = join(import.meta.dirname, '../../');
  for (const { path, content } of await generator.generate(root)) {
    expect(await readFile(join(root, path), 'utf8')).toBe(content);
  }
});
