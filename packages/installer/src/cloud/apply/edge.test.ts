import { labels } from '@selvedge/api';
import type { KubeClient, KubeObject } from '@selvedge/kube';
import { expect, test } from 'vitest';
import { markEdge, unmarkEdges } from './edge.ts';

const { signal } = new AbortController();

interface Asked {
  readonly plural: string;
}

/** Two Nodes with a pod of cloud-manager each. */
function twoNodes(): {
  readonly cluster: KubeClient;
  readonly marked: Set<string>;
  readonly pods: Set<string>;
} {
  const marked = new Set<string>();
  const pods = new Set(['on edge-1', 'on cloud-1']);
  const named = (name: string): KubeObject => ({ metadata: { name } });
  const cluster = {
    async patch(_nodes: Asked, { name }: { name: string }, { patch }: { patch: { body: string } }) {
      const value = /"selvedge[^"]*edge":("true"|null)/.exec(JSON.stringify(patch).replaceAll('\\', ''))?.[1];
      if (value === 'null') marked.delete(name);
      else if (value !== undefined) marked.add(name);
    },
    async listAll({ plural }: Asked, { fieldSelector = '', labelSelector = '' }) {
      if (plural === 'nodes')
        return { items: labelSelector === labels.nodeEdge ? [...marked].map(named) : [] };
      return {
        items: [...pods].filter((one) => fieldSelector === `spec.nodeName=${one.slice(3)}`).map(named),
      };
    },
    async delete(_pods: Asked, { name }: { name: string }) {
      pods.delete(name);
    },
  };
  return { cluster: cluster as unknown as KubeClient, marked, pods };
}

test('where a node becomes an edge node, cloud-manager does not stay; later it may come back', async () => {
  const { cluster, marked, pods } = twoNodes();
  await markEdge('edge-1', { cluster, signal });
  expect([[...marked], [...pods]]).toEqual([['edge-1'], ['on cloud-1']]);
  await unmarkEdges({ cluster, signal });
  expect(marked.size).toBe(0);
});
