import type { BedContext } from '../../context.ts';
import type { BedDescription } from '../../description.ts';
import { provideBaseRoot } from '../../machine/index.ts';
import { reconcileNetwork } from '../../reconcile.ts';
import { clusterOf } from '../cluster.ts';
import { leadHostTo } from '../host-route.ts';
import { clusterEndpoint, clusterMachines } from '../machines.ts';
import { ensureOperatorKey, writeKnownHosts } from '../operator.ts';
import type { Cluster } from '../types.ts';
import { cloudOf, init, join } from './init-and-join.ts';
import { readyNodes } from './nodes.ts';
import { filesOf, prepare, stockOf } from './stock.ts';

/** Makes a cluster by `kubeadm init` and, for each other machine, `kubeadm join`. */
export async function upKubeadm(
  context: BedContext,
  bed: BedDescription,
  signal?: AbortSignal,
): Promise<Cluster> {
  const { progress } = context.setup;
  const base = await provideBaseRoot({ ...context.setup, signal });
  const stock = await stockOf(context, signal);
  await reconcileNetwork(context, bed, signal);
  const files = filesOf(stock);
  const authorizedKeys = [await ensureOperatorKey(context)];
  const machines = clusterMachines({ context, bed, base, files, authorizedKeys, layout: 'kubeadm' });
  const cloud = cloudOf(machines, clusterEndpoint(bed));
  const { first, others, workers } = cloud;
  await progress.step({ title: 'machines, kubeadm init' }, () =>
    Promise.all([
      prepare(context, first, stock, signal).then(() => init(context, bed, { cloud, signal })),
      ...[...others, ...workers].map((one) => prepare(context, one, stock, signal)),
    ]),
  );
  await writeKnownHosts(context, machines);
  for (const one of others) await leadHostTo(one, context.names, bed);
  await progress.step({ title: 'kubeadm join' }, () => join(cloud, signal));
  await progress.step({ title: 'nodes' }, () =>
    readyNodes(context, { bed, machines, joined: machines, files }, signal),
  );
  return clusterOf(context, { layout: 'kubeadm', bed, machines });
}
