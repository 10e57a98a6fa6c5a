import { cloudReachable } from '@selvedge/api';
import { SelvedgeError } from '@selvedge/kit';
import type { KubeObject, ObjectRef, Resource } from '@selvedge/kube';
import type { ClusterClient } from './client.ts';

/** A node as its machine is. */
export interface TestNode {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** The kubelet talks to a hub of its own. */
  readonly isConverted: () => Promise<boolean>;
  /** Its hub runs, whoever talks to it. Default: as `isConverted`. */
  readonly hasHub?: () => Promise<boolean>;
}

/** What may be wrong with it. */
export interface TestCluster extends ClusterClient {
  /** Its kubelets do not come back once they are converted. */
  isBroken: boolean;
  /** Nobody reaches it. */
  isAway: boolean;
  /** How often kube-proxy was replaced on a node. */
  proxies(node: string): number;
}

const notFound = (name: string): SelvedgeError =>
  new SelvedgeError(`there is no ${name}`, { code: 'NotFound' });

interface Memory {
  /** What hubs said stays when they are gone. */
  readonly spoken: Set<string>;
  readonly edgeNodes: Set<string>;
  readonly proxies: Map<string, number>;
}

function nodeObject({ name, labels = {} }: TestNode, isReady: boolean, { spoken }: Memory): KubeObject {
  const time = new Date(Date.now() + 1_000).toISOString();
  const ready = { type: 'Ready', status: isReady ? 'True' : 'False', lastHeartbeatTime: time };
  const conditions = spoken.has(name) ? [ready, { type: cloudReachable, status: 'True' }] : [ready];
  const addresses = [{ type: 'InternalIP', address: name }];
  return { metadata: { name, uid: name, labels }, status: { addresses, conditions } } as KubeObject;
}

function proxyPod(node: string, { proxies }: Memory): KubeObject {
  const uid = `${node}-proxy-${proxies.get(node) ?? 0}`;
  const conditions = [{ type: 'Ready', status: 'True' }];
  const metadata = { namespace: 'kube-system', name: uid, uid, labels: { 'k8s-app': 'kube-proxy' } };
  return { metadata, spec: { nodeName: node }, status: { phase: 'Running', conditions } } as KubeObject;
}

/** What is in it, by the plurals of resources. */
class Objects {
  readonly #nodes: readonly TestNode[];
  readonly #memory: Memory = { spoken: new Set(), edgeNodes: new Set(), proxies: new Map() };
  readonly #isBroken: () => boolean;

  constructor(nodes: readonly TestNode[], isBroken: () => boolean) {
    this.#nodes = nodes;
    this.#isBroken = isBroken;
  }

  async list(plural: string, selector = ''): Promise<readonly KubeObject[]> {
    if (plural === 'nodes') return await Promise.all(this.#nodes.map((node) => this.#look(node)));
    if (plural === 'pods') return [proxyPod(selector.replace('spec.nodeName=', ''), this.#memory)];
    return [...this.#memory.edgeNodes].map((name) => ({ metadata: { name } }));
  }

  async get(plural: string, name: string): Promise<KubeObject> {
    const node = this.#nodes.find((one) => one.name === name);
    if (node === undefined) throw notFound(`node ${name}`);
    if (plural === 'nodes') return await this.#look(node);
    const spec = { renewTime: new Date(Date.now() + 1_000).toISOString() };
    if (plural === 'leases') return { metadata: { name }, spec } as KubeObject;
    if (!this.#memory.edgeNodes.has(name)) throw notFound(`EdgeNode ${name}`);
    const sessions = [{ direction: 'reverse', state: 'live' }];
    return { metadata: { name }, status: { sessions } } as KubeObject;
  }

  forget(name: string): void {
    this.#memory.spoken.delete(name);
  }

  delete(plural: string, name: string): void {
    if (plural !== 'pods') {
      this.#memory.edgeNodes.delete(name);
      return;
    }
    const node = name.replace(/-proxy-\d+$/, '');
    this.#memory.proxies.set(node, this.proxies(node) + 1);
  }

  proxies(node: string): number {
    return this.#memory.proxies.get(node) ?? 0;
  }

  async #look(node: TestNode): Promise<KubeObject> {
    const isConverted = await node.isConverted();
    const isBroken = isConverted && this.#isBroken();
    if (!isBroken && (await (node.hasHub ?? node.isConverted)())) {
      this.#memory.spoken.add(node.name);
      this.#memory.edgeNodes.add(node.name);
    }
    return nodeObject(node, !isBroken, this.#memory);
  }
}

/** As much of a cluster as says whether nodes are converted, by how their machines are. */
export function createTestCluster(nodes: readonly TestNode[]): TestCluster {
  const state = { isBroken: false, isAway: false };
  const objects = new Objects(nodes, () => state.isBroken);
  const reach = (): void => {
    if (state.isAway) throw new SelvedgeError('nobody answers', { code: 'Unavailable' });
  };
  return Object.assign(state, {
    proxies: (node: string) => objects.proxies(node),
    async get<T extends KubeObject>(resource: Resource<T>, { name }: ObjectRef): Promise<T> {
      reach();
      return (await objects.get(resource.plural, name)) as T;
    },
    async listAll<T extends KubeObject>(
      resource: Resource<T>,
      options: { readonly fieldSelector?: string | undefined },
    ) {
      reach();
      const items = (await objects.list(resource.plural, options.fieldSelector)) as readonly T[];
      return { items, resourceVersion: '1' };
    },
    async patch<T extends KubeObject>(resource: Resource<T>, { name }: ObjectRef): Promise<T> {
      reach();
      objects.forget(name);
      return (await objects.get(resource.plural, name)) as T;
    },
    async delete<T extends KubeObject>(resource: Resource<T>, { name }: ObjectRef): Promise<void> {
      reach();
      objects.delete(resource.plural, name);
    },
    raw: () => Promise.resolve({ status: 200, headers: {}, body: Buffer.from('a line\n') }),
  });
}
