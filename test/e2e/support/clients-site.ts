import { Bed, type NodeOptions, nameBed } from '@selvedge/bed';
import { afterAll, beforeAll } from 'vitest';
import { type Balancer, startBalancer, tunnelName, webName } from './balancer.ts';
import { createEdgeWebhook } from './edge-webhook.ts';
import { startMetricsServer } from './metrics-server.ts';
import { pod, running, shell } from './pods.ts';
import { type KubectlPrograms, until, useKubectl } from './programs.ts';
import { startPrometheus } from './prometheus.ts';
import { siteProxy } from './site-proxy.ts';
import { type Squid, closeSiteWithSquid } from './squid.ts';

export const agents = ['lite', 'converted'] as const;
export type Agent = (typeof agents)[number];
export const nodes = { lite: 'till-1', converted: 'till-2' } as const;
export const sites = { lite: 'shop-1', converted: 'shop-2' } as const;
export const carriers = { lite: 'tls', converted: 'websocket' } as const;
export const cloudNode = 'cloud-1';
export const account = { user: 'shop', password: 'correct horse' };

export const mebibyte = 2 ** 20;
/** What the container `burn` of the busy pods holds. */
export const busyMebibytes = 48;

export const busyPodOf = (agent: Agent): string => `busy-${agent}`;

/** A pod that holds so much memory and, throttled, uses a tenth of a processor. */
function busyPod(agent: Agent): object {
  const burn = shell(`head -c ${busyMebibytes * mebibyte} /dev/zero >/memory/file; while :; do :; done`, {
    name: 'burn',
    resources: { limits: { cpu: '100m' } },
    volumeMounts: [{ name: 'memory', mountPath: '/memory' }],
  });
  const one = pod({
    name: busyPodOf(agent),
    node: nodes[agent],
    terminationGracePeriodSeconds: 0,
    volumes: [{ name: 'memory', emptyDir: { medium: 'Memory' } }],
    containers: [running('echo one; echo two'), burn],
  });
  return { apiVersion: 'v1', kind: 'Pod', ...one };
}

function nodeAt(agent: Agent, { caFile }: Balancer): NodeOptions {
  const web = { webSocketUrl: `wss://${webName}/selvedge/tunnel`, webSocketCaFile: caFile };
  const uplink = {
    proxy: siteProxy,
    proxyCredentials: `${account.user}:${account.password}`,
    carriers: [carriers[agent]],
    server: { address: `${tunnelName}:443`, ...(carriers[agent] === 'websocket' ? web : {}) },
  };
  return { name: nodes[agent], site: sites[agent], agent, uplink };
}

/** The bed of a file, and what runs in it. Usable inside tests and hooks. */
export interface ClientsSite {
  readonly bed: Bed;
  readonly kubectl: KubectlPrograms;
  /** The only way out of the site of this node. */
  squidOf(agent: Agent): Squid;
  /** Resolves once the cloud shows a tunnel to the node. */
  connected(agent: Agent): Promise<void>;
}

class LiveClientsSite implements ClientsSite {
  readonly kubectl = useKubectl({ kubeconfig: () => this.bed.kubeconfig });
  readonly #proxies = new Map<Agent, Squid>();
  #bed: Bed | undefined;

  get bed(): Bed {
    if (this.#bed === undefined) throw new TypeError('the bed is there only inside tests and hooks');
    return this.#bed;
  }

  squidOf(agent: Agent): Squid {
    const squid = this.#proxies.get(agent);
    if (squid === undefined) throw new TypeError(`the site of ${nodes[agent]} has no proxy yet`);
    return squid;
  }

  async connected(agent: Agent): Promise<void> {
    const path = '--output=jsonpath={.status.sessions[*].state}';
    const isLive = async (): Promise<boolean> =>
      (await this.kubectl.run(['get', 'edgenode', nodes[agent], path])).stdout === 'live';
    // A node that was away for long tries every 30 s.
    await until(`a tunnel to ${nodes[agent]}`, isLive, 90_000);
  }

  async open(name: string): Promise<void> {
    const bed = await Bed.up({
      name,
      controlPlane: { tunnel: true },
      sites: agents.map((agent) => ({ name: sites[agent] })),
      nodes: [{ name: cloudNode, site: 'cloud', agent: 'stock' }],
    });
    this.#bed = bed;
    await startMetricsServer(bed, cloudNode);
    const balancer = await startBalancer(bed);
    const hosts = { [tunnelName]: balancer.address, [webName]: balancer.address };
    for (const agent of agents) {
      this.#proxies.set(agent, await closeSiteWithSquid(bed, sites[agent], { account, hosts }));
    }
    await Bed.up({ name, nodes: agents.map((agent) => nodeAt(agent, balancer)) });
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: agents.map(busyPod) });
    await bed.kubectl(['create', '--filename=-'], { input });
    await createEdgeWebhook(bed, Object.values(nodes));
    await startPrometheus(bed, cloudNode);
    await bed.kubectl(['wait', '--for=condition=Ready', 'pods', '--all', '--timeout=90s']);
  }
}

/**
 * Programs that others wrote: squid, which asks for an account, is the only way out of each site; nginx, in the cloud, passes
 * the carrier `tls` through and ends the TLS of the carrier `websocket`; metrics-server, Prometheus and the API server are
 * clients of what is at the edge. Registers the hooks that make and remove all of it. Call it once, outside of tests.
 */
export function useClientsSite(): ClientsSite {
  const site = new LiveClientsSite();
  let name: string | undefined;
  beforeAll(async () => {
    name = await nameBed('cli');
    await site.open(name);
  });
  afterAll(async () => {
    if (name !== undefined) await Bed.down(name);
  });
  return site;
}
