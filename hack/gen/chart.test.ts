import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { chart } from './chart.ts';

test('what is checked in is what is generated', async () => {
  const root = join(import.meta.dirname, '../../');
  for (const { path, content } of await chart.generate(root)) {
    expect(await readFile(join(root, path), 'utf8')).toBe(content);
  }
});

test('texts with braces stay texts, and no namespace but that of the release is named', async () => {
  const files = await chart.generate('');
  const content = (name: string): string => files.find(({ path }) => path.endsWith(name))?.content ?? '';
  expect(content('unitapps.yaml')).toContain('{{ "{{" }}unit.name{{ "}}" }}');
  expect(content('rbac-cloud-manager.yaml')).toContain('namespace: {{ .Release.Namespace }}');
  expect(content('rbac-cloud-manager.yaml')).not.toContain('selvedge-system');
});
