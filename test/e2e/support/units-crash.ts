import { readFile } from 'node:fs/promises';
import { resources } from '@selvedge/kube';
import type { Pod } from '@selvedge/kube/types';
import { expect } from 'vitest';
import type { UnitBed } from './unit-bed.ts';
import {
  type Histories,
  closed,
  nodeNow,
  nodesOf,
  outOfService,
  readiness,
  stayingOn,
  taintsOf,
  untilBack,
  untilCleanedUp,
  untilEvent,
} from './units-scene.ts';
import { containersOf, databaseName, readyElsewhere, readyOn, webOf } from './unit-workloads.ts';
import { type Witness, startWitness, testify } from './witness.ts';

const [lost, mate] = nodesOf.near;

/** Its own link is down; who shares its network sees it alive. */
async function isVouchedFor(here: UnitBed, { nodes }: Histories, witness: Witness): Promise<void> {
  witness.says(lost, true);
  const { status } = await here.untilState(lost, 'Vouched');
  expect(status).toMatchObject({ reason: 'SeenAlive', witnesses: [{ node: mate, alive: true }] });
  await here.site.until({ what: 'the taint' }, async () =>
    taintsOf(await nodeNow(here, lost)).includes(closed),
  );
  expect(readiness(nodes, lost)).toEqual(['True']);
}

/** Programs die, containers go on: what a node that crashed half may do to pods that are replaced. */
async function crashes({ site }: UnitBed): Promise<void> {
  for (const program of ['edge-lite', 'kubelet', 'kube-proxy']) {
    await site.bed.stopAgent(lost, 'SIGKILL', program);
  }
}

async function failsOver({ site }: UnitBed, replaced: readonly Pod[]): Promise<void> {
  const database = await readyElsewhere(site, databaseName, lost);
  await readyElsewhere(site, webOf(lost), lost);
  expect(database.metadata.name).toBe(`${databaseName}-0`);
  for (const { metadata } of replaced) {
    await site.until({ what: `the end of ${metadata.name}`, timeoutMs: 120_000 }, async () => {
      const known = await site.find(resources.pods, metadata.name ?? '');
      return known?.metadata.uid !== metadata.uid;
    });
  }
}

/** A node that loses its link while its unit keeps its own, then crashes, then returns. */
export async function playCrash(here: UnitBed, histories: Histories, volume: string): Promise<void> {
  const { site } = here;
  const replaced = [await readyOn(site, databaseName, lost), await readyOn(site, webOf(lost), lost)];
  const staying = await stayingOn(here, lost);
  // Nobody is heard about himself, or about other units.
  expect(await testify(site.bed, mate, { [mate]: false, [nodesOf.cut[0]]: false })).toMatch(
    /"heard":0,.*"yourself".*"no member of your unit".*200$/s,
  );
  await using witness = startWitness(site.bed, mate);
  await isVouchedFor(here, histories, witness);
  await crashes(here);
  witness.says(lost, false);
  const { status } = await here.untilState(lost, 'Dead');
  expect(status).toMatchObject({ reason: 'SeenDead', witnesses: [{ node: mate, alive: false }] });
  await site.until({ what: 'the taint' }, async () =>
    taintsOf(await nodeNow(here, lost)).includes(outOfService),
  );
  await untilEvent(here, lost, 'NodeDead');
  await failsOver(here, replaced);
  // The volume came with it.
  expect(await readFile(volume, 'utf8')).toBe(`db-0\n${lost}\ndb-0\n${mate}\n`);
  for (const pod of replaced) expect(await containersOf(site, pod)).toHaveLength(1);
  await here.healLink(lost);
  await site.bed.startAgent(lost, { wait: false });
  await untilBack(here, lost);
  await untilCleanedUp(here, replaced);
  expect(await stayingOn(here, lost)).toEqual(staying);
  expect(readiness(histories.nodes, mate)).toEqual(['True']);
}
