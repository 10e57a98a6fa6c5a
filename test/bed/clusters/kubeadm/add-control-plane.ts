import { SelvedgeError } from '@selvedge/kit';
import { type BedContext, type BedDeps, createContext, processBedDeps } from '../../context.ts';
import type { BedDescription } from '../../description.ts';
import { withNode } from '../../description-edit.ts';
import { provideBaseRoot } from '../../machine/index.ts';
import { existing } from '../../operations.ts';
import { reconcileNetwork } from '../../reconcile.ts';
import { startBalancer } from '../balancer.ts';
import { clusterOf } from '../cluster.ts';
import { nextControlPlane } from '../description.ts';
import { leadHostTo } from '../host-route.ts';
import { clusterEndpoint, clusterMachines } from '../machines.ts';
import { ensureOperatorKey, writeKnownHosts } from '../operator.ts';
import type { Cluster, ClusterMachine } from '../types.ts';
import { joinControlPlane } from './init-and-join.ts';
import { readyNodes } from './nodes.ts';
import { filesOf, prepare, stockOf } from './stock.ts';

export interface AddOptions {
  /** Of a cluster of kubeadm with several control planes, which alone has an address that outlives each. */
  readonly name: string;
  /** A bootstrap token: `kubeadm token create` prints one. */
  readonly token: string;
  readonly signal?: AbortSignal | undefined;
}

/** The cluster with one more machine, written down before it is made. */
async function describeMore(context: BedContext): Promise<BedDescription> {
  const bed = await existing(context);
  const node = nextControlPlane(bed);
  if (node === undefined) {
    throw new SelvedgeError(`cluster ${context.name} has one control plane, and no address for several`, {
      code: 'Unsupported',
    });
  }
  const more = withNode(bed, node);
  await context.store.write(more);
  return more;
}

function added(machines: readonly ClusterMachine[], bed: BedDescription): ClusterMachine {
  const found = machines.find(({ name }) => name === bed.nodes.at(-1)?.name);
  if (found !== undefined) return found;
  throw new TypeError('what was added is no machine');
}

/**
 * Adds a machine with an API server to a cluster, by `kubeadm join --control-plane` within two hours of its making: so long kubeadm
 * keeps the certificates. The cluster as it is then; who has it from before does not know the machine.
 */
export async function addControlPlane(
  { name, token, signal }: AddOptions,
  deps: BedDeps = processBedDeps(),
): Promise<Cluster> {
  const context = createContext(name, deps);
  await using lock = await context.store.lock(name, signal);
  const bed = await describeMore(context);
  const base = await provideBaseRoot({ ...context.setup, signal });
  const stock = await stockOf(context, signal);
  const files = filesOf(stock);
  await reconcileNetwork(context, bed, signal);
  const authorizedKeys = [await ensureOperatorKey(context)];
  const machines = clusterMachines({ context, bed, base, files, authorizedKeys, layout: 'kubeadm' });
  const one = added(machines, bed);
  await prepare(context, one, stock, signal);
  await writeKnownHosts(context, machines);
  await leadHostTo(one, context.names, bed);
  const [first] = machines;
  if (first === undefined) throw new TypeError('a cluster of kubeadm has a control plane');
  await joinControlPlane(one, { first, endpoint: clusterEndpoint(bed), token, signal });
  await readyNodes(context, { bed, machines, joined: [one], files }, signal);
  const controlPlanes = machines.filter(({ role }) => role === 'control-plane');
  await startBalancer(context, bed, controlPlanes);
  return clusterOf(context, { layout: 'kubeadm', bed, machines });
}
