import type { BedContext } from '../../context.ts';
import type { BedDescription } from '../../description.ts';
import { machineFolders } from '../../machine/host.ts';
import { podRangesOf, writePodNetwork, writePodRoutes } from '../pod-network.ts';
import { writeRecord } from '../record.ts';
import type { ClusterMachine } from '../types.ts';

interface NodesOptions {
  readonly bed: BedDescription;
  readonly machines: readonly ClusterMachine[];
  /** Those of `machines` that have joined just now. */
  readonly joined: readonly ClusterMachine[];
  /** Of the host, for the record. */
  readonly files: readonly string[];
}

async function untilReady({ kubectl }: BedContext, signal?: AbortSignal): Promise<void> {
  const patience = '--timeout=180s';
  await kubectl(['wait', 'node', '--all', '--for=condition=Ready', patience], { signal });
  const rollout = ['--namespace=kube-system', 'rollout', 'status', patience];
  await kubectl([...rollout, 'daemonset/kube-proxy'], { signal });
  await kubectl([...rollout, 'deployment/coredns'], { signal });
}

/** Gives machines that have joined a network of pods, leads the others there, and waits until all are Ready. */
export async function readyNodes(
  context: BedContext,
  { bed, machines, joined, files }: NodesOptions,
  signal?: AbortSignal,
): Promise<void> {
  const names = machines.map(({ name }) => name);
  const ranges = await podRangesOf(context, names, signal);
  const network = { ranges, folder: machineFolders.cni };
  await Promise.all(joined.map((one) => writePodNetwork(one, network, signal)));
  const workers = machines.filter(({ role }) => role === 'worker');
  await writePodRoutes(context, bed, { ranges, workers });
  await writeRecord(context, { layout: 'kubeadm', files, ranges });
  await untilReady(context, signal);
}
