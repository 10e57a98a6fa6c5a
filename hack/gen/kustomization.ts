import { basename, dirname } from 'node:path';
import type { GeneratedFile } from './generator.ts';

/** The files of one folder, and what applies all of them: `kubectl apply -k`. */
export function withKustomization(files: readonly GeneratedFile[]): readonly GeneratedFile[] {
  const [first] = files;
  if (first === undefined) return [];
  const names = files.map(({ path }) => basename(path)).toSorted();
  const lines = ['apiVersion: kustomize.config.k8s.io/v1beta1', 'kind: Kustomization', 'resources:'];
  const content = [...lines, ...names.map((name) => `  - ${name}`), ''].join('\n');
  return [...files, { path: `${dirname(first.path)}/kustomization.yaml`, content }];
}
