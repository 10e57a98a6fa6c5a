import { SelvedgeError } from '@selvedge/kit';
import { type BedDeps, createContext, processBedDeps } from '../context.ts';
import { provideBaseRoot } from '../machine/index.ts';
import { existing } from '../operations.ts';
import { clusterOf } from './cluster.ts';
import { describeCluster } from './description.ts';
import { upK3s } from './k3s/up.ts';
import { upKubeadm } from './kubeadm/up.ts';
import { clusterMachines } from './machines.ts';
import { ensureOperatorKey } from './operator.ts';
import { readRecord } from './record.ts';
import type { Cluster, ClusterLayout } from './types.ts';
import { allowWatchers } from './watchers.ts';

export interface UpOptions {
  readonly layout: ClusterLayout;
  /** A bed's name: no bed is called so. */
  readonly name: string;
  /** Machines with an API server, of kubeadm only. Default 1. With more, a balancer is in front of them. */
  readonly controlPlanes?: number;
  /** Default 3. */
  readonly workers?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes a cluster: new, for one that is half there must be taken down first. It is taken down as a bed of this name is, by
 * `Bed.down` or `hack/bed --bed NAME down`, half-made or not.
 */
export async function upCluster(options: UpOptions, deps: BedDeps = processBedDeps()): Promise<Cluster> {
  const { layout, name, controlPlanes = 1, workers = 3, signal } = options;
  if (layout !== 'kubeadm' && controlPlanes > 1) {
    throw new SelvedgeError(`${layout} has the control plane of a bed`, { code: 'Invalid' });
  }
  const context = createContext(name, deps);
  await using lock = await context.store.lock(name, signal);
  const index = await context.store.claimIndex(name);
  const bed = describeCluster({ name, index, layout, controlPlanes, workers });
  await context.store.write(bed);
  await allowWatchers();
  return await { kubeadm: upKubeadm, k3s: upK3s }[layout](context, bed, signal);
}

/** A cluster that was made, or `NotFound`. */
export async function openCluster(name: string, deps: BedDeps = processBedDeps()): Promise<Cluster> {
  const context = createContext(name, deps);
  const bed = await existing(context);
  const { layout, files } = await readRecord(context);
  const base = await provideBaseRoot(context.setup);
  const authorizedKeys = [await ensureOperatorKey(context)];
  const machines = clusterMachines({ context, bed, base, files, authorizedKeys, layout });
  return clusterOf(context, { layout, bed, machines });
}
