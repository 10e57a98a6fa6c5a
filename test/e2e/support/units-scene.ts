import { autonomousTaint } from '@selvedge/api';
import { resources } from '@selvedge/kube';
import type { EndpointSlice, Node, Pod } from '@selvedge/kube/types';
import { expect } from 'vitest';
import { History } from './history.ts';
import { runOf } from './pods.ts';
import { type EdgeNodeObject, type UnitBed, edgeNodeResource } from './unit-bed.ts';
import { containersOf, podOn, staysName } from './unit-workloads.ts';

/**
 * The nodes of the scene by unit, each with a stock kubelet behind a hub or, by their names, lite. Those of `near` take over
 * a volume, which lite nodes do not.
 */
export const nodesOf = {
  cut: ['cut-kubelet', 'cut-lite'],
  near: ['near-kubelet', 'near-mate'],
  left: ['left-kubelet', 'left-lite'],
} as const;
type UnitName = keyof typeof nodesOf;
export const units = Object.keys(nodesOf) as readonly UnitName[];
export const agentOf = (node: string): 'lite' | 'converted' =>
  node.endsWith('-lite') ? 'lite' : 'converted';

/** What went on since the nodes lost their links. */
export interface Histories extends AsyncDisposable {
  readonly nodes: History<Node>;
  readonly edgeNodes: History<EdgeNodeObject>;
  readonly pods: History<Pod>;
  readonly slices: History<EndpointSlice>;
}

export async function followAll({ site }: UnitBed): Promise<Histories> {
  const { namespace } = site;
  const nodes = await History.follow(site, resources.nodes);
  const edgeNodes = await History.follow(site, edgeNodeResource);
  const pods = await History.follow(site, resources.pods, { namespace });
  const slices = await History.follow(site, resources.endpointSlices, { namespace });
  return {
    nodes,
    edgeNodes,
    pods,
    slices,
    async [Symbol.asyncDispose]() {
      for (const history of [nodes, edgeNodes, pods, slices]) await history.stop();
    },
  };
}

/** The statuses of Ready that a node or a pod was seen with. */
export const readiness = <T extends Node | Pod>(of: History<T>, name: string): readonly unknown[] =>
  of.changes(name, ({ status }) => status?.conditions?.find(({ type }) => type === 'Ready')?.status);

/** What a node was taken for, one after the other. */
export const statesOf = ({ edgeNodes }: Histories, name: string): readonly unknown[] =>
  edgeNodes.changes(name, ({ status }) => status?.state);

export const taintsOf = ({ spec }: Node): readonly string[] =>
  (spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`);

export const closed = `${autonomousTaint}:NoSchedule`;
export const unreachable = 'node.kubernetes.io/unreachable:NoExecute';
export const outOfService = 'node.kubernetes.io/out-of-service:NoExecute';

export const nodeNow = ({ site }: UnitBed, name: string): Promise<Node> =>
  site.client.get(resources.nodes, { name }, { signal: site.signal });

/** For how long a pod tolerates that its node is unreachable: the first toleration that matches counts. */
export const toleratedSeconds = ({ spec }: Pod): number | undefined =>
  spec?.tolerations?.find(({ key }) => key === 'node.kubernetes.io/unreachable')?.tolerationSeconds;

/** Resolves once the node is as if nothing had been. */
export async function untilBack(here: UnitBed, node: string): Promise<void> {
  await here.untilState(node, 'Connected');
  await here.site.until({ what: `no taint of ${node}` }, async () => {
    const { spec, status } = await nodeNow(here, node);
    const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status;
    return (spec?.taints ?? []).length === 0 && ready === 'True';
  });
}

/** What is not to be made anew on a node: the pod that stays, to the API server and to the runtime. */
export async function stayingOn({ site }: UnitBed, node: string): Promise<unknown> {
  const pod = await podOn(site, staysName, node);
  if (pod === undefined) throw new Error(`nothing stays on ${node}`);
  return { run: runOf(pod), containers: await containersOf(site, pod) };
}

/** Resolves once nothing of pods that were evicted runs on their nodes, and the API server has forgotten them. */
export async function untilCleanedUp({ site }: UnitBed, evicted: readonly Pod[]): Promise<void> {
  for (const pod of evicted) {
    const name = pod.metadata.name ?? '';
    await site.until({ what: `the end of ${name}`, timeoutMs: 120_000 }, async () => {
      const known = await site.find(resources.pods, name);
      const isGone = known?.metadata.uid !== pod.metadata.uid;
      return isGone && (await containersOf(site, pod)).length === 0;
    });
  }
}

/** An Event about a node. */
export async function untilEvent({ site }: UnitBed, node: string, reason: string): Promise<void> {
  const { client, signal } = site;
  const fieldSelector = `involvedObject.name=${node}`;
  await site.until({ what: `an Event ${reason} of ${node}` }, async () => {
    const { items } = await client.listAll(resources.events, { namespace: 'default', fieldSelector, signal });
    return items.some((event) => event.reason === reason);
  });
}

/** That none of these pods was ever deleted, or not Ready. */
export function expectUntouched({ pods }: Histories, served: readonly Pod[]): void {
  for (const { metadata } of served) {
    const name = metadata.name ?? '';
    expect([name, readiness(pods, name)]).toEqual([name, ['True']]);
    expect(pods.of(name).every((pod) => pod.metadata.deletionTimestamp === undefined)).toBe(true);
    expect([name, pods.wasDeleted(name)]).toEqual([name, false]);
  }
}
