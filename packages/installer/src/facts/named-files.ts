import { dirname } from 'node:path';
import { parseKubeconfig } from '@selvedge/kube';
import { flagOf } from './flags.ts';
import type { NodeFacts } from './types.ts';

const programs: ReadonlySet<string> = new Set(['kubelet', 'kube-proxy']);
const flags = ['kubeconfig', 'bootstrap-kubeconfig', 'config'] as const;
const maxFiles = 100;

/** Files that a kubeconfig names. */
function inKubeconfig(path: string, text: string): readonly string[] {
  try {
    const { credentials } = parseKubeconfig(text, { folder: dirname(path) });
    return Object.values(credentials).flatMap((one) => (one !== undefined && 'file' in one ? one.file : []));
  } catch {
    return [];
  }
}

/** Files that are named by what is known of a machine: arguments, units, kubeconfigs. Pure. */
export function namedFiles(facts: NodeFacts): readonly string[] {
  const running = facts.processes.filter(({ program }) => programs.has(program));
  const byFlags = running.flatMap(({ argv }) => flags.flatMap((flag) => flagOf(argv, flag) ?? []));
  const byUnits = Object.values(facts.units).flatMap(({ environmentFiles }) => environmentFiles);
  const byKubeconfigs = Object.entries(facts.files).flatMap(([path, { text = '' }]) =>
    text.includes('current-context') ? inKubeconfig(path, text) : [],
  );
  const all = new Set([...byFlags, ...byUnits, ...byKubeconfigs].filter((path) => path.startsWith('/')));
  return [...all].slice(0, maxFiles);
}
