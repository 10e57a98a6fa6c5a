import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { customResources } from '@selvedge/api';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { crds, renderCustomResource } from './crds.ts';

test.each(customResources)('the manifest of $source is the resource and what guards it', (file) => {
  const { content } = renderCustomResource(file);
  const documents = parseAllDocuments(content).map((each) => ('toJS' in each ? each.toJS() : each));
  expect(documents).toEqual(file.objects);
});

test('what is checked in is what is generated', async () => {
  const root = join(import.meta.dirname, '../../');
  for (const { path, content } of await crds.generate(root)) {
    expect(await readFile(join(root, path), 'utf8')).toBe(content);
  }
});
