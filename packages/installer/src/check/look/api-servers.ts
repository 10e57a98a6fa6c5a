import type { Pod } from '@selvedge/kube/types';
import type { ApiServer } from '../facts.ts';

function flagsOf(words: readonly string[]): Readonly<Record<string, string>> {
  const pairs = words.flatMap((word): [string, string][] => {
    const [, name, value = 'true'] = /^--([\w-]+)(?:=(.*))?$/s.exec(word) ?? [];
    return name === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(pairs);
}

/** The API servers among pods, as kubeadm labels them. */
export function apiServersOf(pods: readonly Pod[]): readonly ApiServer[] {
  return pods
    .filter(({ metadata }) => metadata.labels?.['component'] === 'kube-apiserver')
    .map(({ spec }) => {
      const { command = [], args = [] } = spec?.containers[0] ?? {};
      return { node: spec?.nodeName ?? '', flags: flagsOf([...command, ...args]) };
    });
}
