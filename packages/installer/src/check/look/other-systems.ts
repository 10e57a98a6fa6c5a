import type { KubeObject } from '@selvedge/kube';

/** API groups of other systems for the edge. */
const groups: Readonly<Record<string, string>> = {
  'openyurt.io': 'OpenYurt',
  'kubeedge.io': 'KubeEdge',
  'superedge.io': 'SuperEdge',
};

/** Other systems whose definitions are in the cluster: `OpenYurt (nodepools.apps.openyurt.io)`. */
export function otherSystemsOf(definitions: readonly KubeObject[]): readonly string[] {
  const names = definitions.map(({ metadata }) => metadata.name ?? '');
  return Object.entries(groups).flatMap(([group, system]) => {
    const one = names.find((name) => name.endsWith(`.${group}`));
    return one === undefined ? [] : [`${system} (${one})`];
  });
}
