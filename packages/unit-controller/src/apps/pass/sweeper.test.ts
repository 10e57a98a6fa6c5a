import { labels } from '@selvedge/api';
import { SelvedgeError } from '@selvedge/kit';
import { type KubeObject, createIndexedStore, resources } from '@selvedge/kube';
import { describe, expect, test } from 'vitest';
import type { EdgeUnitObject } from '../../objects.ts';
import { unitNamed } from '../../testing.ts';
import { AppView, type Made } from '../view/index.ts';
import { type SeenChild, createKeep } from '../children/index.ts';
import { appIndexers } from '../owner.ts';
import { appOf, applied, fieldsOf, intentNamed, specOf } from '../testing.ts';
import type { Look } from './look.ts';
import { Sweeper, type SweeperDeps } from './sweeper.ts';

const { signal } = new AbortController();
const keep = createKeep();
const app = appOf(specOf('till:1', { service: { spec: {} }, secrets: [{ name: 'key' }] }));
const { metadata } = intentNamed('Deployment').made;

const named = (name: string, own: Readonly<Record<string, string>>, more: object = {}) => ({
  ...metadata,
  name,
  labels: { ...metadata.labels, ...own },
  ...more,
});

const ofUnit = (unit: string, more: object = {}): KubeObject =>
  applied({ metadata: named(`till-${unit}`, { [labels.unit]: unit }, more) });

interface Case {
  readonly units?: readonly EdgeUnitObject[];
  readonly deployments?: readonly KubeObject[];
  readonly secrets?: readonly KubeObject[];
  /** What the API server says when it is asked for a unit. */
  readonly answer?: () => Promise<unknown>;
  readonly revisions?: readonly string[];
  readonly services?: readonly KubeObject[];
  /** What differs in each look, one after the other. Default: one look. */
  readonly looks?: readonly { readonly nowMs?: number; readonly more?: Partial<Look> }[];
}

/** Names of what is taken away while only `shop-1` is selected. */
async function swept(given: Case) {
  const { units = [], deployments = [], secrets = [], services = [], answer, revisions = [] } = given;
  const removed: string[] = [];
  const empty = createIndexedStore<never>();
  const edgeUnits = createIndexedStore<EdgeUnitObject>();
  edgeUnits.replace(
    units.map((unit) => ({ ...unit, metadata: { ...unit.metadata, uid: unit.metadata.name } })),
    '9',
  );
  const storeOf = (objects: readonly KubeObject[]) => {
    const store = createIndexedStore<SeenChild>({ keep, indexers: appIndexers });
    store.replace(objects, '9');
    return store;
  };
  const children = [
    { resource: resources.deployments, objects: storeOf(deployments) },
    { resource: resources.secrets, objects: storeOf(secrets) },
    { resource: resources.services, objects: storeOf(services) },
  ];
  const view = new AppView({ apps: empty, units: edgeUnits, revisions: empty, pods: empty, children, keep });
  const gone = async (): Promise<never> => {
    throw new SelvedgeError('gone', { code: 'NotFound', details: { reason: 'NotFound' } });
  };
  const parts = {
    view,
    client: { get: answer ?? gone },
    keeper: { remove: async ({ object }: Made) => void removed.push(object.metadata.name ?? '') },
  } as unknown as SweeperDeps;
  const kept = new Map(revisions.map((name, place) => [place, { name }] as const));
  const lookAt = (nowMs: number, more: Partial<Look> = {}) =>
    ({
      app,
      units: [{ name: 'shop-1' }],
      history: { revisions: kept },
      shared: { kind: 'intents', intents: [] },
      facts: { nowMs },
      isEmptied: false,
      ...more,
    }) as unknown as Look;
  const sweeper = new Sweeper(parts);
  for (const { nowMs = 0, more } of given.looks ?? [{}]) await sweeper.sweep(lookAt(nowMs, more), signal);
  return removed;
}

describe('what is of units that are not selected any more', () => {
  const deployments = [ofUnit('shop-1'), ofUnit('shop-2')];
  const two = { units: [unitNamed('shop-1'), unitNamed('shop-2')], deployments };

  test('goes when they are not for a while, what is of others stays', async () => {
    expect(await swept({ ...two, looks: [{}, { nowMs: 9_999 }] })).toEqual([]);
    expect(await swept({ ...two, looks: [{}, { nowMs: 10_000 }] })).toEqual(['till-shop-2']);
  });

  test('stays where they are selected again', async () => {
    const both = { units: [{ name: 'shop-1' }, { name: 'shop-2' }] } as unknown as Partial<Look>;
    const looks = [{}, { nowMs: 5_000, more: both }, { nowMs: 12_000 }];
    expect(await swept({ ...two, looks })).toEqual([]);
  });

  test('stays where no unit is selected', async () => {
    const more = { units: [], isEmptied: true };
    expect(await swept({ ...two, looks: [{ more }, { nowMs: 60_000, more }] })).toEqual([]);
  });
});

test('what is of a unit that is gone goes, if the API server says so too', async () => {
  const deployments = [ofUnit('shop-1'), ofUnit('shop-2')];
  expect(await swept({ deployments })).toEqual(['till-shop-2']);
  expect(await swept({ deployments, answer: async () => unitNamed('shop-2') })).toEqual([]);
});

test('nothing goes where EdgeUnits are not defined', async () => {
  const answer = async (): Promise<never> => {
    throw new SelvedgeError('404 page not found', { code: 'NotFound', details: { reason: '' } });
  };
  expect(await swept({ deployments: [ofUnit('shop-2'), ofUnit('shop-3')], answer })).toEqual([]);
});

test('nothing goes of which somebody has changed whose it is', async () => {
  const stolen = ofUnit('shop-2', {
    ownerReferences: [{ ...metadata.ownerReferences?.[0], uid: 'another' }],
  });
  const { labels: own } = metadata;
  const renamed = applied(
    { metadata: named('till-shop-1', { [labels.unit]: 'shop-2' }) },
    fieldsOf({ metadata: { labels: { [labels.unitApp]: own?.[labels.unitApp] } } }),
  );
  expect(await swept({ deployments: [stolen, renamed] })).toEqual([]);
});

test('the Service that all units share goes when it is not wanted, not while there is no telling', async () => {
  const { [labels.unit]: _, ...rest } = metadata.labels ?? {};
  const services = [{ metadata: { ...metadata, name: 'till', uid: 'till', labels: rest } }];
  const more: Partial<Look> = { shared: { kind: 'problem', why: 'revision 1 is not kept' } };
  expect(await swept({ services })).toEqual(['till']);
  expect(await swept({ services, looks: [{ more }] })).toEqual([]);
});

test('Secrets of revisions go with them', async () => {
  const { [labels.unit]: _, ...rest } = metadata.labels ?? {};
  const secretOf = (name: string): KubeObject => ({
    metadata: { ...metadata, name, uid: name, labels: { ...rest, [labels.revision]: '1' } },
  });
  const secrets = [secretOf('till-a'), secretOf('till-b')];
  expect(await swept({ secrets, revisions: ['till-b'] })).toEqual(['till-a']);
});
