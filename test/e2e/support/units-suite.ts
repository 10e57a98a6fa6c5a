import { mergePatch } from '@selvedge/kube';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StockLimits, edgeNodeResource, useUnitBed } from './unit-bed.ts';
import { createService, deployDatabase, deployStays, deployWeb, readyOn, webOf } from './unit-workloads.ts';
import { playCrash } from './units-crash.ts';
import { playCut } from './units-cut.ts';
import { playLeft } from './units-left.ts';
import { playLiar } from './units-liar.ts';
import { type Histories, agentOf, followAll, nodesOf, units } from './units-scene.ts';

export interface UnitsSuite {
  /** Begins the bed's name. */
  readonly prefix: string;
  readonly limits: StockLimits;
  /** Of the unit that is left to itself. */
  readonly period: string;
  /** How long each of the tests may take, and each eviction in them. */
  readonly timeoutMs: number;
}

/** Three units of stock kubelets behind hubs and lite nodes, and what becomes of them without their links. */
export function describeUnits({ prefix, limits, period, timeoutMs }: UnitsSuite): void {
  const here = useUnitBed({
    prefix,
    limits,
    units: units.map((name) => ({
      name,
      nodes: nodesOf[name].map((node) => ({ name: node, agent: agentOf(node) })),
      ...(name === 'left' ? { spec: { autonomy: period } } : {}),
    })),
  });
  const { site } = here;
  let volume: string;

  beforeAll(async () => {
    const options = { patch: mergePatch({ spec: { autonomy: 'off' } }), signal: site.signal };
    await site.client.patch(edgeNodeResource, { name: nodesOf.left[1] }, options);
    await createService(site, 'cut');
    await deployStays(site);
    volume = await deployDatabase(site, nodesOf.near);
    const homes = units.flatMap((unit) => nodesOf[unit].map((node) => ({ unit, node })));
    await Promise.all(homes.map(({ unit, node }) => deployWeb(site, node, unit)));
    await Promise.all(homes.map(({ node }) => readyOn(site, webOf(node), node)));
  });

  it('a node that writes its labels, annotations, EdgeNode or EdgeUnit changes nothing', async () => {
    await playLiar(here, nodesOf.near[0], { unit: 'near', others: nodesOf.cut[0] });
  });

  describe('without their links', { concurrent: true, timeout: timeoutMs }, () => {
    let histories: Histories;
    beforeAll(async () => {
      histories = await followAll(here);
      await site.bed.cut('cut', 'blackhole');
      await site.bed.cut('left', 'blackhole');
      await here.cutLink(nodesOf.near[0]);
    });
    afterAll(() => histories[Symbol.asyncDispose]());

    it('a unit stays Ready and in service for longer than the stock limits, and gets no new pods', () =>
      playCut(here, histories, timeoutMs));

    it('a node is vouched for by its unit, fails over when that sees it dead, and cleans up when it is back', () =>
      playCrash(here, histories, volume));

    it('a unit is left to the stock life cycle when its period is over, a node at once where autonomy is off', () =>
      playLeft(here, histories, timeoutMs));
  });

  it('cloud-manager had the rights that it needs', async () => {
    const metrics = await here.metrics();
    expect(metrics).toMatch(/^selvedge_kube_requests_total\{method="PATCH",code="200"\}/m);
    expect(metrics).not.toMatch(/^selvedge_kube_requests_total\{[^}]*code="403"/m);
  });
}
