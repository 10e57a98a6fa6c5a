import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { edgeNodeDefinition, edgeNodePolicy, edgeNodePolicyBinding } from '@selvedge/api';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { crds, renderEdgeNode } from './crds.ts';

test('the manifest is the resource and the policy that guards it', () => {
  const documents = parseAllDocuments(renderEdgeNode()).map((each) => ('toJS' in each ? each.toJS() : each));
  expect(documents).toEqual([edgeNodeDefinition, edgeNodePolicy, edgeNodePolicyBinding]);
});

test('what is checked in is what is generated', async () => {
  const root = join(import.meta.dirname, '../../');
  for (const { path, content } of await crds.generate(root)) {
    expect(await readFile(join(root, path), 'utf8')).toBe(content);
  }
});
