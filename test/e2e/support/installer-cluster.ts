import { nameBed } from '@selvedge/bed';
import {
  type Cluster,
  type ClusterLayout,
  type ClusterMachine,
  addControlPlane,
  upCluster,
} from '@selvedge/bed/clusters';
import {
  type Inventory,
  type InventoryChange,
  type VolatilePath,
  diffInventories,
  takeInventory,
} from '@selvedge/bed/machine';
import { afterAll, beforeAll } from 'vitest';
import { installerPods } from './installer-pods.ts';
import { until } from './programs.ts';

export interface InstallerClusterOptions {
  readonly layout: ClusterLayout;
  /** Up to six characters. */
  readonly stem: string;
  /** Of kubeadm. Default 1. */
  readonly controlPlanes?: number;
  /** Default 3. */
  readonly workers?: number;
  /** Pods on each worker, a client of the Service among them. Default 10. */
  readonly podsPerNode?: number;
  /** What else is there before anybody looks at the machines. */
  readonly prepare?: (cluster: Cluster) => Promise<void>;
}

const everything = (path: string, reason: string): VolatilePath => ({ path, what: 'all', reason });

/** What changes on machines of these clusters, whatever else happens. */
const alsoVolatile: Readonly<Record<ClusterLayout, readonly VolatilePath[]>> = {
  kubeadm: [everything('/var/lib/etcd', 'etcd is the cluster')],
  k3s: [
    everything('/var/lib/rancher/k3s/agent/containerd', 'the container runtime writes down what runs'),
    ...['kubelet.kubeconfig', 'kubeproxy.kubeconfig', 'etc/kubelet.conf.d/00-k3s-defaults.conf'].map(
      (name): VolatilePath => ({
        path: `/var/lib/rancher/k3s/agent/${name}`,
        what: 'mtime',
        reason: 'k3s writes it at each start',
      }),
    ),
  ],
};

/** A cluster of a test file's own, as it was before anybody converted it. */
export interface InstallerCluster {
  readonly cluster: Cluster;
  /** The machine, looked at once it is at rest. */
  inventory(machine: ClusterMachine): Promise<Inventory>;
  /** Adds a control plane, by kubeadm and this bootstrap token. `cluster` is the one with it from then on. */
  addControlPlane(token: string): Promise<void>;
  /** What others do with the cluster: what it changes is none of our changes, and a machine that comes by it is as it is then. */
  byOthers(work: () => Promise<void>): Promise<void>;
  /** What of machines, by default all, is not as it was at first, once it is nothing or for good. */
  changes(machines?: readonly ClusterMachine[]): Promise<readonly InventoryChange[]>;
}

/**
 * What a look finds, once that is nothing or for good: programs that were started again a moment ago have yet to make their rules
 * and folders. Throws if no look came to its end: then nobody knows.
 */
export async function lasting<T>(
  what: string,
  look: () => Promise<readonly T[]>,
  timeoutMs = 60_000,
): Promise<readonly T[]> {
  let found: readonly T[] | undefined;
  const isNothing = async (): Promise<boolean> => {
    found = await look();
    return found.length === 0;
  };
  try {
    await until(what, isNothing, timeoutMs);
  } catch (error) {
    if (found === undefined) throw error;
  }
  return found ?? [];
}

/** Each with the name of its machine. */
const changesOf = (machine: string, before: Inventory, after: Inventory): readonly InventoryChange[] =>
  diffInventories(before, after).map((change) => ({ ...change, name: `${machine}: ${change.name}` }));

class World implements InstallerCluster {
  readonly #options: InstallerClusterOptions;
  #cluster: Cluster | undefined;
  #before: ReadonlyMap<string, Inventory> = new Map();
  readonly #ofOthers: InventoryChange[] = [];

  constructor(options: InstallerClusterOptions) {
    this.#options = options;
  }

  get cluster(): Cluster {
    if (this.#cluster === undefined) throw new TypeError('the cluster is there only inside tests and hooks');
    return this.#cluster;
  }

  async open(): Promise<void> {
    const { layout, stem, controlPlanes = 1, workers = 3, podsPerNode = 10, prepare } = this.#options;
    const name = await nameBed(stem);
    this.#cluster = await upCluster({ layout, name, controlPlanes, workers });
    await installerPods(this.#cluster, podsPerNode);
    await prepare?.(this.#cluster);
    this.#before = await this.#inventories();
  }

  async close(): Promise<void> {
    await this.#cluster?.down();
  }

  async #look({ machine }: ClusterMachine): Promise<Inventory> {
    return takeInventory(machine, { alsoVolatile: alsoVolatile[this.#options.layout] });
  }

  async addControlPlane(token: string): Promise<void> {
    this.#cluster = await addControlPlane({ name: this.cluster.name, token });
  }

  async byOthers(work: () => Promise<void>): Promise<void> {
    const then = await this.#inventories();
    await work();
    const now = await this.#inventories();
    for (const [name, inventory] of now) {
      const before = then.get(name);
      this.#ofOthers.push(...(before === undefined ? [] : changesOf(name, before, inventory)));
    }
    this.#before = new Map([...now, ...this.#before]);
  }

  async #inventories(): Promise<ReadonlyMap<string, Inventory>> {
    const all = this.cluster.machines.map(
      async (machine) => [machine.name, await this.inventory(machine)] as const,
    );
    return new Map(await Promise.all(all));
  }

  inventory(machine: ClusterMachine): Promise<Inventory> {
    let last: Inventory | undefined;
    return until(`${machine.name} at rest`, async () => {
      const [before, now] = [last, await this.#look(machine)];
      last = now;
      const changes = before === undefined ? undefined : diffInventories(before, now);
      if (changes?.length === 0) return now;
      throw new Error(`it still changes: ${JSON.stringify(changes)}`);
    });
  }

  async changes(machines = this.cluster.machines): Promise<readonly InventoryChange[]> {
    const all = machines.map(async (machine): Promise<readonly InventoryChange[]> => {
      const before = this.#before.get(machine.name);
      if (before === undefined) throw new TypeError(`nobody looked at ${machine.name} before`);
      return await lasting(`${machine.name} as it was`, async () =>
        this.#withoutOthers(changesOf(machine.name, before, await this.#look(machine))),
      );
    });
    return (await Promise.all(all)).flat();
  }

  /** What others changed is as they left it. */
  #withoutOthers(changes: readonly InventoryChange[]): readonly InventoryChange[] {
    return changes.filter(
      ({ name, after }) => !this.#ofOthers.some((one) => one.name === name && one.after === after),
    );
  }
}

/** Registers the hooks that make and remove it. Call it once, outside of tests. */
export function useInstallerCluster(options: InstallerClusterOptions): InstallerCluster {
  const world = new World(options);
  beforeAll(() => world.open());
  afterAll(() => world.close());
  return world;
}
