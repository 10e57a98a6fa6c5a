import { autonomyAnnotations } from '@selvedge/api';
import { compareResourceVersions, resources } from '@selvedge/kube';
import type { Pod } from '@selvedge/kube/types';
import { expect } from 'vitest';
import type { UnitBed } from './unit-bed.ts';
import {
  type Histories,
  nodesOf,
  readiness,
  statesOf,
  stayingOn,
  taintsOf,
  toleratedSeconds,
  unreachable,
  untilBack,
  untilCleanedUp,
} from './units-scene.ts';
import { containersOf, readyElsewhere, readyOn, webOf } from './unit-workloads.ts';

const unit = 'left';
const members = nodesOf[unit];
/** The one by the period of its unit, the other by its own EdgeNode. */
const [over, off] = members;

/** Resolves once the stock controllers have given the node up and evicted its pod, which another replaces. */
async function isGivenUp(
  { site }: UnitBed,
  { nodes, pods }: Histories,
  { spec, metadata }: Pod,
  timeoutMs: number,
): Promise<void> {
  const { nodeName: node = '' } = spec ?? {};
  const name = metadata.name ?? '';
  await site.until({ what: `the eviction of ${name}`, timeoutMs }, async () =>
    pods.of(name).some((pod) => pod.metadata.deletionTimestamp !== undefined),
  );
  expect([node, readiness(nodes, node)]).toEqual([node, ['True', 'Unknown']]);
  expect(nodes.of(node).some((one) => taintsOf(one).includes(unreachable))).toBe(true);
  await readyElsewhere(site, webOf(node), node);
}

/** Of a pod whose node is Expired: it tolerates what it did itself, since before the node was given up. */
function expectRestored({ nodes, pods }: Histories, pod: Pod, own: number): void {
  const { nodeName: node = '' } = pod.spec ?? {};
  const versions = pods.of(pod.metadata.name ?? '');
  const restored = versions[versions.findLastIndex((one) => toleratedSeconds(one) !== own) + 1];
  const unknown = nodes
    .of(node)
    .find(({ status }) =>
      status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'Unknown'),
    );
  const [first = '', second = ''] = [restored, unknown].map((one) => one?.metadata.resourceVersion);
  expect(compareResourceVersions(first, second)).toBeLessThan(0);
}

/** Whether the last renewal of a node was not its own. */
async function wasHeld({ site }: UnitBed, name: string): Promise<boolean> {
  const at = { namespace: 'kube-node-lease', name };
  const { metadata, spec } = await site.client.get(resources.leases, at, { signal: site.signal });
  return metadata.annotations?.[autonomyAnnotations.heldRenewTime] === spec?.renewTime;
}

/** A unit whose period of autonomy ends, with a node that has none. */
export async function playLeft(here: UnitBed, histories: Histories, timeoutMs: number): Promise<void> {
  const { site, limits } = here;
  const own = limits.tolerationSeconds;
  const [pod, other] = [await readyOn(site, webOf(over), over), await readyOn(site, webOf(off), off)];
  const staying = await Promise.all(members.map((node) => stayingOn(here, node)));
  await site.pod(pod.metadata.name ?? '', { what: 'it tolerates the period' }, (one) => {
    const seconds = toleratedSeconds(one);
    return seconds !== undefined && seconds > own;
  });
  expect(toleratedSeconds(other)).toBe(own);
  await here.untilState(off, 'Expired', 'AutonomyOff');
  await here.untilState(over, 'Expired', 'PeriodOver');
  await isGivenUp(here, histories, other, timeoutMs);
  expect(await wasHeld(here, off)).toBe(false);
  await isGivenUp(here, histories, pod, timeoutMs);
  expect(await wasHeld(here, over)).toBe(true);
  expectRestored(histories, pod, own);
  for (const evicted of [pod, other]) expect(await containersOf(site, evicted)).toHaveLength(1);
  await site.bed.heal(unit);
  for (const node of members) await untilBack(here, node);
  expect(statesOf(histories, over)).toEqual(['Connected', 'Autonomous', 'Expired', 'Connected']);
  expect(statesOf(histories, off)).toEqual(['Connected', 'Expired', 'Connected']);
  await untilCleanedUp(here, [pod, other]);
  expect(await Promise.all(members.map((node) => stayingOn(here, node)))).toEqual(staying);
}
