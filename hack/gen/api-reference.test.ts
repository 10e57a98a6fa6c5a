import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { apiReference } from './api-reference.ts';

test('the reference tells of every field, its bounds, default and rules', async () => {
  const pages = await apiReference.generate('');
  const page = pages.find(({ path }) => path.endsWith('unit-app.md'))?.content ?? '';
  expect(page).toContain(
    '| `spec.overrides[].containers[].image` | string; ≤ 1024 characters | In place of its image. |',
  );
  expect(page).toContain('Default: `10%`. Refused otherwise: must be a number of at least 1');
  expect(page).toContain('a wave has either unitSelector or percentage');
});

test('what is checked in is what is generated', async () => {
  const root = join(import.meta.dirname, '../../');
  for (const { path, content } of await apiReference.generate(root)) {
    expect(await readFile(join(root, path), 'utf8')).toBe(content);
  }
});
