import type { UnitAppStatus } from '@selvedge/api';
import { createIndexedStore } from '@selvedge/kube';
import { expect, test } from 'vitest';
import { unitNamed } from '../../testing.ts';
import { createKeep } from '../children/index.ts';
import { Openings, Refusals } from '../facts/index.ts';
import { appOf } from '../testing.ts';
import { AppView } from '../view/index.ts';
import type { Rendering } from './rendering.ts';
import { type UnitFactsDeps, unitFactsOf } from './unit-facts.ts';

const why = 'no label region';
const rendering = {
  of: (_: unknown, revision: number) =>
    revision === 2 ? { kind: 'problem', why } : { kind: 'intents', intents: [] },
} as unknown as Rendering;

/** Of a unit that has no clone yet, and cannot have the second revision. */
function problemIn(
  state: NonNullable<UnitAppStatus['rollout']>['state'],
  refusals = new Refusals(),
): string | undefined {
  const empty = createIndexedStore<never>();
  const children: readonly never[] = [];
  const readers = { apps: empty, units: empty, revisions: empty, pods: empty, children, keep: createKeep() };
  const deps: UnitFactsDeps = {
    view: new AppView(readers),
    openings: new Openings(),
    refusals,
    metricGate: { read: () => undefined },
  };
  const status = { currentRevision: 1, rollout: { state, revision: 2 } };
  const unit = {
    name: 'shop-1',
    labels: {},
    edgeUnit: unitNamed('shop-1'),
    clone: undefined,
    revision: undefined,
  };
  const options = { app: { ...appOf(), status }, wanted: 2, revisions: new Map(), rendering, nowMs: 0 };
  return unitFactsOf(unit, options, deps).problem;
}

test('what a unit cannot have is about the revision that it shall have, on the way back too', () => {
  expect(problemIn('Progressing')).toBe(why);
  expect([problemIn('RollingBack'), problemIn('RolledBack')]).toEqual([undefined, undefined]);
});

test('what was refused to a UnitApp that had the name before says nothing of this one', () => {
  const refusals = new Refusals();
  const refused = { revision: 1, why: 'refused' };
  refusals.add({ app: 'shops/till', unit: 'shop-1' }, refused, 0);
  refusals.add({ app: 'before', unit: 'shop-1' }, refused, 0);
  expect(problemIn('RolledBack', refusals)).toBeUndefined();
  refusals.add({ app: 'app', unit: 'shop-1' }, refused, 0);
  expect(problemIn('RolledBack', refusals)).toBe('refused');
});
