import { type KubernetesVersion, type NodeOptions } from '@selvedge/bed';
import { beforeAll, describe, expect, it } from 'vitest';
import { clients } from './support/kubectl-reach.ts';
import { itServesKubectl } from './support/kubectl-suite.ts';
import { useKubectl } from './support/programs.ts';
import { useTunnelBed } from './support/tunnel-bed.ts';
import { toolObjects } from './support/tunnel-pods.ts';

const mebibyte = 1024 * 1024;
const versions: readonly KubernetesVersion[] = ['1.36', '1.35'];
const agents = ['lite', 'converted'] as const;
const carriers = ['tls', 'websocket'] as const;

/** Every kind of node by every carrier. */
const nodes = agents.flatMap((agent) =>
  carriers.map((carrier) => {
    const name = `${agent}-${carrier}`;
    return { name, agent, site: `of-${name}`, uplink: { carriers: [carrier] } };
  }),
) satisfies readonly NodeOptions[];

/** What a client is put through: kubectl by default speaks WebSocket. */
const limits = {
  WebSocket: { pipedBytes: 100 * mebibyte, trafficMs: 30_000 },
  SPDY: { pipedBytes: 20 * mebibyte, trafficMs: 5_000 },
} as const;

for (const version of versions) {
  describe(`an API server of Kubernetes ${version}`, () => {
    const here = useTunnelBed({ prefix: 'matrix', version, nodes });
    beforeAll(() => here.create(nodes.flatMap(({ name }) => toolObjects(name))));

    it.each(nodes)('reaches $name by one carrier only', async ({ name, uplink }) => {
      const path = '--output=jsonpath={.status.sessions[*].carrier}';
      expect((await here.bed.kubectl(['get', 'edgenode', name, path])).stdout).toBe(uplink.carriers[0]);
    });

    for (const client of ['WebSocket', 'SPDY'] as const) {
      const kubectl = useKubectl({ kubeconfig: () => here.bed.kubeconfig, env: clients[client] });
      for (const { name } of nodes) {
        describe(`${name}, for clients that speak ${client}`, () => {
          itServesKubectl({ here, kubectl, node: name, ...limits[client] });
        });
      }
    }
  });
}
