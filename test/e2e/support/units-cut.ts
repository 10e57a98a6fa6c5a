import { resources } from '@selvedge/kube';
import type { Pod } from '@selvedge/kube/types';
import { expect } from 'vitest';
import { condition, isReady, running } from './pods.ts';
import type { UnitBed } from './unit-bed.ts';
import {
  type Histories,
  closed,
  expectUntouched,
  nodeNow,
  nodesOf,
  readiness,
  statesOf,
  stayingOn,
  taintsOf,
  untilBack,
  untilEvent,
} from './units-scene.ts';
import { podsOf, readyElsewhere, readyOn, webOf } from './unit-workloads.ts';

const unit = 'cut';
const nodes = nodesOf[unit];
/** New pods would rather be there. */
const [wanted] = nodes;
const pinned = 'pinned';

async function showsIt(here: UnitBed): Promise<void> {
  for (const node of nodes) {
    await here.untilState(node, 'Autonomous', 'UnitCut');
    await here.site.until({ what: `taint and condition of ${node}` }, async () => {
      const seen = await nodeNow(here, node);
      const shown = seen.status?.conditions?.find(({ type }) => type === 'SelvedgeAutonomous');
      return taintsOf(seen).includes(closed) && shown?.status === 'True' && shown.reason === 'Autonomous';
    });
    await untilEvent(here, node, 'NodeAutonomous');
  }
  const counted = /^selvedge_autonomy_nodes\{state="Autonomous"\} (\d+)$/m.exec(await here.metrics());
  expect(Number(counted?.[1])).toBeGreaterThanOrEqual(2);
}

/** Started again at once, the next leader goes on before the stock controllers lose their patience. */
async function killManager({ site }: UnitBed): Promise<void> {
  await site.bed.stopCloud('cloud-manager', 'SIGKILL');
  await site.bed.startCloud('cloud-manager');
}

/** Pods that would rather be on the cut node: of a Deployment, and one that may be nowhere else. */
async function wantsMore({ site }: UnitBed): Promise<void> {
  const { namespace } = site;
  await site.bed.kubectl(['scale', `--namespace=${namespace}`, 'deployment', webOf(wanted), '--replicas=3']);
  const nodeSelector = { 'kubernetes.io/hostname': wanted };
  const spec = { nodeSelector, terminationGracePeriodSeconds: 1, containers: [running()] };
  await site.create(resources.pods, { metadata: { name: pinned }, spec });
}

async function goesElsewhere({ site }: UnitBed): Promise<void> {
  await readyElsewhere(site, webOf(wanted), wanted);
  const all = await site.until({ what: 'three pods with nodes' }, async () => {
    const seen = await podsOf(site, webOf(wanted));
    return seen.filter(({ spec }) => spec?.nodeName !== undefined).length === 3 && seen;
  });
  const there = all.filter(({ spec }) => nodes.some((node) => node === spec?.nodeName));
  expect(there.map(({ spec }) => spec?.nodeName)).toEqual([wanted]);
  await site.pod(pinned, { what: 'it finds no node' }, (one) => condition(one, 'PodScheduled') === 'False');
}

/** In all versions of the slices each pod of the unit is an endpoint, and ready. */
function expectInService({ slices }: Histories, served: readonly Pod[]): void {
  const [name = '', ...others] = slices.names.filter((one) => one.startsWith(`${unit}-`));
  expect(others).toEqual([]);
  expect([slices.of(name).length > 0, slices.wasDeleted(name)]).toEqual([true, false]);
  const names = served.map(({ metadata }) => metadata.name);
  for (const { endpoints } of slices.of(name)) {
    const ready = (endpoints ?? []).filter(({ conditions }) => conditions?.ready === true);
    expect(ready.map(({ targetRef }) => targetRef?.name)).toEqual(expect.arrayContaining(names));
  }
}

/**
 * Resolves once the stock controllers have evicted the pods of a node that was cut off later, and is not held, and the period
 * of another is over.
 */
async function stockLimitsPass({ site }: UnitBed, histories: Histories, timeoutMs: number): Promise<void> {
  const { pods } = histories;
  const [over, off] = nodesOf.left;
  const app = webOf(off);
  await site.until({ what: 'the eviction where autonomy is off', timeoutMs }, async () => {
    const versions = pods.names.filter((name) => name.startsWith(`${app}-`)).flatMap((name) => pods.of(name));
    return versions.some(({ metadata }) => metadata.deletionTimestamp !== undefined);
  });
  const expired = { what: `the end of the period of ${over}`, timeoutMs };
  await site.until(expired, async () => statesOf(histories, over).includes('Expired'));
}

/** A unit that is cut off as a whole, and comes back. */
export async function playCut(here: UnitBed, histories: Histories, timeoutMs: number): Promise<void> {
  const { site } = here;
  const served = await Promise.all(nodes.map((node) => readyOn(site, webOf(node), node)));
  const before = await Promise.all(nodes.map((node) => stayingOn(here, node)));
  await showsIt(here);
  await killManager(here);
  await wantsMore(here);
  await goesElsewhere(here);
  await stockLimitsPass(here, histories, timeoutMs);
  for (const node of nodes) expect(taintsOf(await nodeNow(here, node))).toEqual([closed]);
  await site.bed.heal(unit);
  for (const node of nodes) await untilBack(here, node);
  await site.pod(pinned, { what: 'it has found its node' }, isReady);
  for (const node of nodes) {
    expect([node, readiness(histories.nodes, node)]).toEqual([node, ['True']]);
    expect(statesOf(histories, node)).toEqual(['Connected', 'Autonomous', 'Connected']);
  }
  expectUntouched(histories, served);
  expectInService(histories, served);
  expect(await Promise.all(nodes.map((node) => stayingOn(here, node)))).toEqual(before);
}
