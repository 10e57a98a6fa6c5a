import { type EdgeUnitSpec, finalizers, labels } from '@selvedge/api';
import { systemClock } from '@selvedge/kit';
import { jsonPatch, mergePatch, resources } from '@selvedge/kube';
import { type EdgeUnitObject, edgeNodeResource, edgeUnitResource } from '@selvedge/unit-controller';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../bed/wait.ts';
import { type RunningController, type UnitWorld, signal, startUnitWorld, until } from './unit-world.ts';

const shop = 'shops.node-restriction.kubernetes.io/shop';
const internal = (address: string) => ({ addresses: [{ type: 'InternalIP', address }] });

let world: UnitWorld;
let controller: RunningController;

beforeAll(async () => {
  world = await startUnitWorld();
  for (const [place, name] of ['a-1', 'a-2', 'b-1', 'c-1'].entries()) {
    const own = name === 'b-1' ? { [shop]: 'b' } : {};
    const metadata = { labels: { ...own, 'example.org/foreign': 'stays' }, annotations: { note: 'stays' } };
    await world.addNode(name, { metadata });
    const patch = mergePatch({ status: internal(`10.0.0.${place + 1}`) });
    await world.admin.patch(resources.nodes, { name }, { patch, subresource: 'status', signal });
  }
  controller = await world.start();
});
afterAll(async () => {
  await controller[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const create = (name: string, spec: EdgeUnitSpec): Promise<EdgeUnitObject> =>
  world.admin.create(edgeUnitResource, { metadata: { name }, spec }, { signal });

const change = (name: string, spec: object): Promise<EdgeUnitObject> =>
  world.admin.patch(edgeUnitResource, { name }, { patch: mergePatch({ spec }), signal });

const changeNode = (name: string, patch: object): Promise<unknown> =>
  world.admin.patch(resources.nodes, { name }, { patch: mergePatch(patch), signal });

const conditionOf = (unit: EdgeUnitObject | undefined, wanted: string): string | undefined => {
  const found = unit?.status?.conditions?.find(({ type }) => type === wanted);
  return found === undefined ? undefined : `${found.status} ${found.reason}`;
};

/** The unit once it is settled with these members, as of its newest spec. */
const settled = (name: string, members: readonly string[]): Promise<EdgeUnitObject> =>
  until(`unit ${name} of ${members.join(' ')}`, async () => {
    const unit = await world.unit(name);
    const isNewest = unit?.status?.observedGeneration === unit?.metadata.generation;
    const names = (unit?.status?.members ?? []).map((member) => member.name);
    const isSettled = conditionOf(unit, 'Settled') === 'True Settled';
    return isNewest && isSettled && names.join(' ') === members.join(' ') && unit;
  });

const unitLabel = async (name: string): Promise<string | undefined> =>
  (await world.node(name)).metadata.labels?.[labels.nodeUnit];

test('members get what their unit gives, and nothing else of them changes', async () => {
  await create('shop-a', {
    members: { names: ['a-1', 'a-2', 'a-3'] },
    labels: { 'example.org/tier': 'gold' },
    annotations: { 'example.org/contact': 'anne' },
    taints: [{ key: 'example.org/shop', value: 'a', effect: 'NoSchedule' }],
  });
  await create('shop-b', { members: { nodeSelector: { matchLabels: { [shop]: 'b' } } }, zone: 'north' });
  await create('shop-c', { members: { names: ['c-1'] }, unschedulable: true });
  const unit = await settled('shop-a', ['a-1', 'a-2']);
  expect(unit.status?.members?.[0]).toEqual({ name: 'a-1', addresses: ['10.0.0.1'] });
  expect(unit.status?.counts).toMatchObject({ members: 2, settled: 2, missing: 1, conflicts: 0 });
  expect(unit.metadata.finalizers).toEqual([finalizers.edgeUnit]);
  const { metadata, spec } = await world.node('a-1');
  expect(metadata.labels).toEqual({
    [labels.nodeUnit]: 'shop-a',
    [labels.zone]: 'shop-a',
    'example.org/tier': 'gold',
    'example.org/foreign': 'stays',
  });
  expect(metadata.annotations).toMatchObject({ 'example.org/contact': 'anne', note: 'stays' });
  expect(spec?.taints).toContainEqual({ key: 'example.org/shop', value: 'a', effect: 'NoSchedule' });
  await settled('shop-b', ['b-1']);
  expect((await world.node('b-1')).metadata.labels?.[labels.zone]).toBe('north');
  await settled('shop-c', ['c-1']);
  expect((await world.node('c-1')).spec?.unschedulable).toBe(true);
  await until('events', async () => (await world.events('shop-b')).includes('NodeJoined node joined: b-1'));
});

test('a Node that comes later joins, and one that goes is no member any more', async () => {
  await world.addNode('a-3');
  await settled('shop-a', ['a-1', 'a-2', 'a-3']);
  await world.admin.delete(resources.nodes, { name: 'a-3' }, { signal });
  await settled('shop-a', ['a-1', 'a-2']);
  await until('an empty record', async () => (await world.edgeNode('a-3'))?.status?.unit === undefined);
});

test('what somebody changes of it is put back, a node itself included', async () => {
  const node = await world.asNode('a-1');
  const patch = mergePatch({ metadata: { labels: { 'example.org/tier': 'lead', [labels.zone]: 'mine' } } });
  await node.patch(resources.nodes, { name: 'a-1' }, { patch, signal });
  await node.close();
  await changeNode('a-1', { metadata: { labels: { [labels.nodeUnit]: null } }, spec: { taints: null } });
  await until('the unit as it was', async () => {
    const { metadata, spec } = await world.node('a-1');
    const wanted = { tier: 'gold', zone: 'shop-a', unit: 'shop-a', taint: 'a' };
    const seen = {
      tier: metadata.labels?.['example.org/tier'],
      zone: metadata.labels?.[labels.zone],
      unit: metadata.labels?.[labels.nodeUnit],
      taint: spec?.taints?.find(({ key }) => key === 'example.org/shop')?.value,
    };
    return JSON.stringify(seen) === JSON.stringify(wanted);
  });
});

test('a node can neither choose its unit nor have anything taken away that is not the unit’s', async () => {
  const node = await world.asNode('a-1');
  const unit = mergePatch({ metadata: { labels: { [labels.nodeUnit]: 'shop-b' } } });
  await expect(node.patch(resources.nodes, { name: 'a-1' }, { patch: unit, signal })).rejects.toThrow(
    /not allowed to modify labels/,
  );
  const record = mergePatch({
    status: { unit: { name: 'shop-a', fields: ['taints[maintenance:NoExecute]'] } },
  });
  const options = { patch: record, subresource: 'status', signal };
  await expect(node.patch(edgeNodeResource, { name: 'a-1' }, options)).rejects.toMatchObject({
    code: 'Forbidden',
  });
  await node.close();
});

test('a label that somebody else gave another value stays, and the unit says so', async () => {
  await changeNode('a-2', { metadata: { labels: { 'example.org/rack': '7' } } });
  await change('shop-a', { labels: { 'example.org/rack': '1' } });
  const unit = await settled('shop-a', ['a-1', 'a-2']);
  expect(unit.status?.conflicts).toEqual([{ node: 'a-2', fields: ['labels[example.org/rack]'] }]);
  expect(conditionOf(unit, 'Conflicted')).toBe('True Conflicts');
  expect((await world.node('a-1')).metadata.labels?.['example.org/rack']).toBe('1');
  await change('shop-a', { labels: { 'example.org/rack': null } });
  const after = await settled('shop-a', ['a-1', 'a-2']);
  expect(conditionOf(after, 'Conflicted')).toBe('False NoConflicts');
  const racks = await Promise.all(
    ['a-1', 'a-2'].map(async (name) => (await world.node(name)).metadata.labels),
  );
  expect(racks.map((all) => all?.['example.org/rack'])).toEqual([undefined, '7']);
});

test('a node that two units want belongs to the older one, until that lets it go: leave, then join', async () => {
  await change('shop-c', { members: { names: ['c-1', 'a-2'] } });
  const younger = await until('a conflict', async () => {
    const unit = await world.unit('shop-c');
    return conditionOf(unit, 'Conflicted') === 'True Conflicts' && unit;
  });
  expect(younger.status?.conflicts).toEqual([{ node: 'a-2', unit: 'shop-a' }]);
  await until('an event', async () =>
    (await world.events('shop-c')).includes('Conflicts a-2 belongs to shop-a'),
  );
  await change('shop-a', { members: { names: ['a-1'] } });
  const unit = await settled('shop-c', ['a-2', 'c-1']);
  expect(unit.status?.conflicts ?? []).toEqual([]);
  await settled('shop-a', ['a-1']);
  const { metadata, spec } = await world.node('a-2');
  expect(metadata.labels).toEqual({
    [labels.nodeUnit]: 'shop-c',
    [labels.zone]: 'shop-c',
    'example.org/foreign': 'stays',
    'example.org/rack': '7',
  });
  expect(metadata.annotations?.['example.org/contact']).toBeUndefined();
  expect(spec).toMatchObject({ unschedulable: true });
  expect(spec?.taints?.some(({ key }) => key === 'example.org/shop')).toBe(false);
});

test('the state of a member is the one of its EdgeNode', async () => {
  const patch = mergePatch({ status: { state: 'Autonomous' } });
  await world.admin.patch(edgeNodeResource, { name: 'b-1' }, { patch, subresource: 'status', signal });
  const unit = await until('the state', async () => {
    const seen = await world.unit('shop-b');
    return seen?.status?.counts?.autonomous === 1 && seen;
  });
  expect(unit.status?.members).toEqual([{ name: 'b-1', addresses: ['10.0.0.3'], state: 'Autonomous' }]);
});

test('nothing is written while nothing changes, however often everything is looked at', async () => {
  await controller[Symbol.asyncDispose]();
  const before = await world.writes();
  expect(before).toBeGreaterThan(20);
  controller = await world.start(20);
  const rounds = (): number =>
    Number(
      /queue_keys_total\{queue="unit-nodes",outcome="done"\} (\d+)/.exec(controller.metrics())?.[1] ?? 0,
    );
  // More than a day of the usual resyncs, for each node.
  await waitFor({ what: 'resyncs' }, systemClock, async () => rounds() > 800);
  expect(await world.writes()).toBe(before);
  expect(controller.metrics()).not.toContain('selvedge_units_writes_total{');
});

test('a unit with members is not deleted; one that releases them leaves nothing behind', async () => {
  await expect(world.kubectl(['delete', 'edgeunit', 'shop-c'])).rejects.toThrow(/the EdgeUnit has members/);
  await change('shop-c', { deletionPolicy: 'release' });
  await world.admin.delete(edgeUnitResource, { name: 'shop-c' }, { signal });
  await until('the end', async () => (await world.unit('shop-c')) === undefined);
  for (const name of ['a-2', 'c-1']) {
    const { metadata, spec } = await world.node(name);
    expect(Object.keys(metadata.labels ?? {}).filter((key) => !key.startsWith('example.org/'))).toEqual([]);
    expect(spec?.unschedulable).toBeUndefined();
    expect((await world.edgeNode(name))?.status?.unit).toBeUndefined();
  }
});

test('a deletion that got past the policy waits until the unit says what becomes of members', async () => {
  // As if the member had come in the moment of the request: the policy did not see it.
  await world.kubectl(['delete', 'validatingadmissionpolicybinding', 'edgeunits.selvedge.io']);
  await until('a request that is taken', async () => {
    await world.admin.delete(edgeUnitResource, { name: 'shop-b' }, { signal });
    return true;
  });
  await until(
    'a reason',
    async () => conditionOf(await world.unit('shop-b'), 'Settled') === 'False DeletionRefused',
  );
  expect(await unitLabel('b-1')).toBe('shop-b');
  await change('shop-b', { deletionPolicy: 'release' });
  await until('the end', async () => (await world.unit('shop-b')) === undefined);
  expect(await unitLabel('b-1')).toBeUndefined();
});

test('what was begun before a crash is ended, and a unit that went meanwhile is left', async () => {
  await controller[Symbol.asyncDispose]();
  const remove = jsonPatch([{ op: 'remove', path: '/metadata/finalizers' }]);
  await world.admin.patch(edgeUnitResource, { name: 'shop-a' }, { patch: remove, signal });
  await change('shop-a', { deletionPolicy: 'release' });
  await world.admin.delete(edgeUnitResource, { name: 'shop-a' }, { signal });
  expect(await world.unit('shop-a')).toBeUndefined();
  expect(await unitLabel('a-1')).toBe('shop-a');
  controller = await world.start();
  await until('a node of no unit', async () => (await unitLabel('a-1')) === undefined);
  const { metadata } = await world.node('a-1');
  expect(metadata.labels).toEqual({ 'example.org/foreign': 'stays' });
  await until('no record', async () => (await world.edgeNode('a-1'))?.status?.unit === undefined);
  expect(controller.lines.filter(({ level }) => level === 'error')).toEqual([]);
});
