import { SelvedgeError } from '@selvedge/kit';
import { Bed } from '../bed.ts';
import type { BedContext } from '../context.ts';
import type { BedDescription } from '../description.ts';
import { inNamespace } from '../network/apply.ts';
import { siteName } from './description.ts';
import { joinNetworks } from './join-networks.ts';
import { clusterEndpoint } from './machines.ts';
import { writePodRoutes } from './pod-network.ts';
import { operatorFiles, readRecord } from './record.ts';
import type { Cluster, ClusterLayout, ClusterMachine, RunningTask } from './types.ts';

export interface ClusterParts {
  readonly layout: ClusterLayout;
  readonly bed: BedDescription;
  readonly machines: readonly ClusterMachine[];
}

/** The lines of `ctr tasks list`: id, pid, status. */
export function readTasks(printed: string): readonly RunningTask[] {
  const lines = printed.split('\n').map((line) => line.trim().split(/\s+/));
  const running = lines.filter(([, , status]) => status === 'RUNNING');
  return running
    .map(([id = '', pid]) => ({ id, pid: Number(pid) }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

function named(machines: readonly ClusterMachine[], name: string): ClusterMachine {
  const found = machines.find((one) => one.name === name);
  if (found !== undefined) return found;
  const hint = `it has ${machines.map((one) => one.name).join(', ')}`;
  throw new SelvedgeError(`the cluster has no machine ${name}`, { code: 'NotFound', hint });
}

/** A cluster that is there. */
export function clusterOf(context: BedContext, { layout, bed, machines }: ClusterParts): Cluster {
  const { names, folders, kubectl } = context;
  const workers = machines.filter(({ role }) => role === 'worker');
  const open = (): Promise<Bed> => Bed.open(context.name, context);
  const down = (): Promise<void> => Bed.down(context.name, context);
  return {
    name: context.name,
    layout,
    kubeconfig: folders.kubeconfig,
    server: `https://${clusterEndpoint(bed)}`,
    machines,
    workers,
    operator: operatorFiles(context),
    atSite: (argv) => inNamespace(names.site(siteName), argv),
    kubectl,
    async tasks(name) {
      const { machine, runtimeSocket } = named(machines, name);
      const where = ['--address', runtimeSocket, '--namespace', 'k8s.io'];
      return readTasks((await machine.exec(['ctr', ...where, 'tasks', 'list'])).stdout);
    },
    joinNetworks: () => joinNetworks(names, bed),
    cut: async (kind = 'blackhole') => (await open()).cut(siteName, kind),
    heal: async () => (await open()).heal(siteName),
    powerCut: (worker) => named(workers, worker).machine.powerCut(),
    async powerOn(worker) {
      await named(workers, worker).machine.powerOn();
      const { ranges } = await readRecord(context);
      await writePodRoutes(context, bed, { ranges, workers });
    },
    down,
    [Symbol.asyncDispose]: down,
  };
}
