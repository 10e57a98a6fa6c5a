import { type TrafficFallback, type TrafficScope, labels, trafficAnnotations } from '@selvedge/api';
import type { KubeObject } from '@selvedge/kube';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TemporaryStore, createTemporaryStore } from '../../store/testing.ts';
import { unitResource } from '../unit/unit.ts';
import { World, slices } from './testing-world.ts';
import { endpointOf, sliceOf } from './testing.ts';

const endpoints = 'v1/endpoints';

let store: TemporaryStore;
let world: World;
beforeEach(async () => {
  store = await createTemporaryStore();
  world = new World(store);
});
afterEach(async () => {
  world[Symbol.dispose]();
  await store[Symbol.asyncDispose]();
});

const service = (scope?: TrafficScope | 'shop' | '', fallback?: TrafficFallback | 'yes'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    namespace: 'shop',
    name: 'web',
    annotations: {
      ...(scope === undefined ? {} : { [trafficAnnotations.scope]: scope }),
      ...(fallback === undefined ? {} : { [trafficAnnotations.fallback]: fallback }),
    },
  },
});

const node = (unit: string | undefined): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'here', labels: unit === undefined ? {} : { [labels.nodeUnit]: unit } },
});

const unit = (name: string, ...members: readonly string[]): KubeObject & { readonly status: object } => ({
  apiVersion: 'selvedge.io/v1alpha1',
  kind: 'EdgeUnit',
  metadata: { name },
  status: { members: members.map((member) => ({ name: member })) },
});

/** One endpoint for each node, `10.0.0.<n>`; those behind a `!` are not ready. */
const on = (...nodes: readonly string[]) =>
  nodes.map((text, index) => {
    const nodeName = text.replace('!', '');
    const ready = !text.startsWith('!');
    const conditions = { ready, serving: ready, terminating: false };
    return endpointOf(`pod-${nodeName}`, { nodeName, addresses: [`10.0.0.${index + 1}`], conditions });
  });

const slice = (name: string, ...nodes: readonly string[]) =>
  sliceOf(on(...nodes), { metadata: { ...sliceOf([]).metadata, name } });

const whole = (...nodes: readonly string[]): KubeObject & { readonly subsets: object } => ({
  apiVersion: 'v1',
  kind: 'Endpoints',
  metadata: { namespace: 'shop', name: 'web' },
  subsets: [
    {
      addresses: nodes.map((nodeName, index) => ({ ip: `10.0.0.${index + 1}`, nodeName })),
      ports: [{ port: 80 }],
    },
  ],
});

/** Nodes whose endpoints are shown in a slice. */
function nodesIn(name: string): readonly (string | undefined)[] {
  const shown = world.replica.reader(slices).get({ namespace: 'shop', name });
  const { endpoints: found = [] } = JSON.parse(shown?.json ?? '{}') as Partial<ReturnType<typeof sliceOf>>;
  return (found ?? []).map(({ nodeName }) => nodeName);
}

/** The same of the older kind. */
function nodesInWhole(): readonly (string | undefined)[] {
  const shown = world.replica.reader(endpoints).get({ namespace: 'shop', name: 'web' });
  const { subsets } = JSON.parse(shown?.json ?? '{}') as {
    readonly subsets: readonly { readonly addresses: readonly { readonly nodeName?: string }[] }[];
  };
  return subsets.flatMap(({ addresses }) => addresses.map(({ nodeName }) => nodeName));
}

async function inUnit(...members: readonly string[]): Promise<void> {
  await world.put('v1/nodes', node('berlin'));
  await world.put(unitResource, unit('berlin', ...members));
}

describe('traffic to a Service', () => {
  beforeEach(async () => {
    await inUnit('here', 'next');
    await world.put(slices, slice('web-1', 'here', 'next', 'far'));
    await world.put(endpoints, whole('here', 'next', 'far'));
    await world.start();
  });

  test.each([
    [undefined, ['here', 'next', 'far']],
    ['cluster', ['here', 'next', 'far']],
    ['unit', ['here', 'next']],
    ['node', ['here']],
    // Refused where they are written; what came past that must not open what somebody closed.
    ['shop', ['here']],
    ['', ['here']],
  ] as const)('of the scope %s leads to %j', async (scope, expected) => {
    await world.put('v1/services', service(scope));
    expect(nodesIn('web-1')).toEqual(expected);
    expect(nodesInWhole()).toEqual(expected);
  });

  test('follows the annotation of a living Service, there and back', async () => {
    await world.put('v1/services', service('node'));
    expect(nodesIn('web-1')).toEqual(['here']);
    await world.put('v1/services', service('unit'));
    expect(nodesIn('web-1')).toEqual(['here', 'next']);
    await world.put('v1/services', service());
    expect(nodesIn('web-1')).toEqual(['here', 'next', 'far']);
    expect(nodesInWhole()).toEqual(['here', 'next', 'far']);
  });

  test('follows the members of the unit, and the node from unit to unit', async () => {
    await world.put('v1/services', service('unit'));
    await world.put(unitResource, unit('berlin', 'here', 'next', 'far'));
    expect(nodesIn('web-1')).toEqual(['here', 'next', 'far']);
    await world.put(unitResource, unit('rome', 'far'));
    await world.put('v1/nodes', node('rome'));
    expect(nodesIn('web-1')).toEqual(['here', 'far']);
    expect(nodesInWhole()).toEqual(['here', 'far']);
    await world.put('v1/nodes', node(undefined));
    expect(nodesIn('web-1')).toEqual(['here']);
  });

  test('does the same while the cloud is away', async () => {
    await world.put('v1/services', service('unit'));
    await world.connectivity('offline');
    expect(nodesIn('web-1')).not.toContain('far');
    await world.put('v1/services', service('node'));
    expect(nodesIn('web-1')).toEqual(['here']);
  });

  test('stays closed when nothing in its scope is ready, unless it may fall back', async () => {
    await world.put('v1/services', service('unit'));
    await world.put(slices, slice('web-1', '!here', '!next', 'far'));
    expect(nodesIn('web-1')).toEqual(['here', 'next']);
    await world.put('v1/services', service('unit', 'cluster'));
    expect(nodesIn('web-1')).toEqual(['here', 'next', 'far']);
    await world.put(slices, slice('web-1', '!here', 'next', 'far'));
    expect(nodesIn('web-1')).toEqual(['here', 'next']);
  });

  test('stays closed where the word for the fallback is not known', async () => {
    await world.put('v1/services', service('unit', 'yes'));
    await world.put(slices, slice('web-1', '!here', 'far'));
    expect(nodesIn('web-1')).toEqual(['here']);
  });

  test('counts what is published although it is not ready, and not what only serves while it ends', async () => {
    await world.put('v1/services', service('unit', 'cluster'));
    const [ending] = on('next');
    const conditions = { ready: false, serving: true, terminating: true };
    await world.put(slices, sliceOf([{ ...ending, addresses: ['10.0.0.2'], conditions }, ...on('far')]));
    expect(nodesIn('web-1')).toEqual(['next', 'far']);
    await world.put('v1/services', service('unit'));
    expect(nodesIn('web-1')).toEqual(['next']);
    await world.put('v1/services', service('unit', 'cluster'));
    const published = { ready: true, serving: false, terminating: true };
    await world.put(
      slices,
      sliceOf([{ ...ending, addresses: ['10.0.0.2'], conditions: published }, ...on('far')]),
    );
    expect(nodesIn('web-1')).toEqual(['next']);
  });

  test('falls back when no slice of the Service has one that is ready, not only this one', async () => {
    await world.put('v1/services', service('unit', 'cluster'));
    await world.put(slices, slice('web-2', 'far'));
    expect(nodesIn('web-2')).toEqual([]);
    await world.put(slices, slice('web-1', '!here', 'far'));
    expect(nodesIn('web-2')).toEqual(['far']);
    expect(nodesIn('web-1')).toEqual(['here', 'far']);
    await world.put(slices, slice('web-3', 'next'));
    expect(nodesIn('web-2')).toEqual([]);
    expect(nodesIn('web-1')).toEqual(['here']);
  });

  test('leads to nothing of which nobody knows where it is', async () => {
    await world.put('v1/services', service('unit'));
    const external = { addresses: ['192.0.2.1'], conditions: { ready: true } };
    await world.put(slices, sliceOf([external, ...on('here')]));
    expect(nodesIn('web-1')).toEqual(['here']);
  });

  test('leads to the API server whatever anybody says', async () => {
    const metadata = { namespace: 'default', name: 'kubernetes' };
    await world.put('v1/services', {
      ...service('node'),
      metadata: { ...service('node').metadata, ...metadata },
    });
    const name = { ...metadata, labels: { 'kubernetes.io/service-name': 'kubernetes' } };
    await world.put(slices, sliceOf([{ addresses: ['192.0.2.1'] }], { metadata: name }));
    const shown = world.replica.reader(slices).get(metadata);
    expect(shown?.json).toContain('192.0.2.1');
  });
});

test('endpoints on other nodes are not shown before their Service is known, nor after it is gone', async () => {
  await inUnit('here', 'next');
  await world.start({ service: false });
  await world.put(slices, slice('web-1', 'here', 'next', 'far'));
  await world.put(endpoints, whole('here', 'next', 'far'));
  const shown = (): unknown => [nodesIn('web-1'), nodesInWhole()];
  expect(shown()).toEqual([['here'], ['here']]);
  await world.put('v1/services', service('unit'));
  expect(shown()).toEqual([
    ['here', 'next'],
    ['here', 'next'],
  ]);
  await world.put('v1/services', service());
  expect(nodesIn('web-1')).toEqual(['here', 'next', 'far']);
  await world.remove('v1/services', service());
  expect(shown()).toEqual([['here'], ['here']]);
});

test('endpoints that are on no node are shown without a Service', async () => {
  await world.start({ service: false });
  await world.put(slices, sliceOf([{ addresses: ['192.0.2.1'] }, ...on('far')]));
  expect(nodesIn('web-1')).toEqual([undefined]);
});

test('what was closed in an earlier run is closed before anything is read', async () => {
  await inUnit('here');
  await world.put('v1/services', service('unit'));
  await world.put(slices, slice('web-1', 'here', 'far'));
  await world.start();
  expect(nodesIn('web-1')).toEqual(['here']);
});
