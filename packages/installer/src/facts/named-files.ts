import { dirname } from 'node:path';
import { parseKubeconfig } from '@selvedge/kube';
import { flagOf } from './flags.ts';
import { rancherConfigs } from './rancher-config.ts';
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

/** The configuration of k3s and RKE2, and the folder with parts of it. */
function inRancher({ units, files }: NodeFacts): readonly string[] {
  const own = Object.entries(units).filter(([name]) => /^(k3s|rke2)/.test(name));
  const texts = own.flatMap(([, { text, environmentFiles }]) => [
    text,
    ...environmentFiles.map((path) => files[path]?.text ?? ''),
  ]);
  return rancherConfigs(texts).flatMap((path) => [path, `${path}.d`]);
}

/** Files, and folders of them, that are named by what is known of a machine: arguments, units, kubeconfigs. Pure. */
export function namedFiles(facts: NodeFacts): readonly string[] {
  const running = facts.processes.filter(({ program }) => programs.has(program));
  const byFlags = running.flatMap(({ argv }) => flags.flatMap((flag) => flagOf(argv, flag) ?? []));
  const byUnits = Object.values(facts.units).flatMap(({ environmentFiles }) => environmentFiles);
  const byKubeconfigs = Object.entries(facts.files).flatMap(([path, { text = '' }]) =>
    text.includes('current-context') ? inKubeconfig(path, text) : [],
  );
  const named = [...byFlags, ...byUnits, ...inRancher(facts), ...byKubeconfigs];
  const all = new Set(named.filter((path) => path.startsWith('/')));
  return [...all].slice(0, maxFiles);
}
