import { fc, test as property } from '@fast-check/vitest';
import { type EdgeUnitSpec, labels } from '@selvedge/api';
import { createMetricsRegistry, silentLogger, type Service } from '@selvedge/kit';
import { createManualClock, seededRandom } from '@selvedge/kit/testing';
import { type KubeObject, type Resource, createKubeMetrics, resources } from '@selvedge/kube';
import { expect, test } from 'vitest';
import { createMembership } from '../membership/index.ts';
import { createUnitMetrics } from '../metrics.ts';
import { edgeNodeResource, edgeUnitResource, nameOf } from '../objects.ts';
import { nodeNamed, unitNamed } from '../testing.ts';
import { SmallApi } from './testing-api.ts';
import { createUnitController } from './unit-controller.ts';

const { signal } = new AbortController();
const units = edgeUnitResource as Resource<KubeObject>;
const nodes = resources.nodes as Resource<KubeObject>;
const edgeNodes = edgeNodeResource as Resource<KubeObject>;

/** Its clock stands still: what it does not do of itself no resync will bring about. */
const controllerOf = (api: SmallApi): Service => {
  const registry = createMetricsRegistry();
  return createUnitController(
    { gatherMs: 0 },
    {
      ...api.readers,
      client: api,
      events: { record: () => {} },
      clock: createManualClock(),
      random: seededRandom(1),
      log: silentLogger,
      metrics: createUnitMetrics(registry, () => []),
      kubeMetrics: createKubeMetrics(registry),
    },
  );
};

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Until everybody knows everything and nobody has anything to do. */
async function quiet(api: SmallApi): Promise<void> {
  for (let idle = 0, before = -1; idle < 5; idle += 1) {
    api.deliverAll();
    await turn();
    if (api.writes !== before || api.unseen > 0) idle = 0;
    before = api.writes;
  }
}

/** Of a loaded machine, in milliseconds. */
const patience = 60_000;

type Op = (api: SmallApi) => void;

const unitName = fc.constantFrom('shop-a', 'shop-b', 'shop-c');
const nodeName = fc.constantFrom('n1', 'n2');
const shop = 'node-role.kubernetes.io/shop';
const word = fc.constantFrom('x', 'y');
const wantedMembers = fc.oneof(
  fc.record({ names: fc.uniqueArray(nodeName) }),
  word.map((value) => ({ nodeSelector: { matchLabels: { [shop]: value } } })),
);
const spec: fc.Arbitrary<EdgeUnitSpec> = fc.record({
  members: wantedMembers,
  labels: fc.dictionary(fc.constantFrom('tier', 'rack'), word),
  unschedulable: fc.boolean(),
  deletionPolicy: fc.constantFrom('refuse' as const, 'release' as const),
});

const putUnit = fc.tuple(unitName, spec, fc.constantFrom('2025', '2026')).map(([name, wanted, year]): Op => {
  const created = { creationTimestamp: `${year}-01-01T00:00:00Z` };
  return (api) => {
    const present = api.get(units, name);
    api.put(units, present === undefined ? unitNamed(name, wanted, created) : { ...present, spec: wanted });
  };
});
const deleteUnit = unitName.map(
  (name): Op =>
    (api) =>
      api.delete(units, name),
);
const putNode = fc
  .tuple(nodeName, fc.dictionary(fc.constantFrom(shop, 'tier', labels.zone, labels.nodeUnit), word))
  .map(
    ([name, own]): Op =>
      (api) => {
        const present = api.get(resources.nodes, name);
        const all = { ...present?.metadata.labels, ...own };
        const node = present ?? nodeNamed(name);
        api.put(nodes, { ...node, metadata: { ...node.metadata, labels: all } });
      },
  );
const deleteNode = nodeName.map(
  (name): Op =>
    (api) =>
      api.delete(nodes, name),
);
const setState = fc.tuple(nodeName, fc.constantFrom('Connected', 'Dead')).map(
  ([name, state]): Op =>
    (api) => {
      const present = api.get(edgeNodeResource, name);
      const edgeNode = present ?? { metadata: { name } };
      api.put(edgeNodes, { ...edgeNode, status: { ...present?.status, state } });
    },
);
const deliver = fc.tuple(fc.constantFrom(units, nodes, edgeNodes), fc.integer({ min: 1, max: 3 })).map(
  ([resource, count]): Op =>
    (api) =>
      api.deliver(resource, count),
);
const step = fc.oneof(
  { arbitrary: putUnit, weight: 3 },
  { arbitrary: putNode, weight: 3 },
  { arbitrary: deliver, weight: 4 },
  deleteUnit,
  deleteNode,
  setState,
);
/** How long the controller has after each of them, and before which it is killed. */
const pause = fc.constantFrom('none', 'turn', 'quiet');
const history = fc.record({
  ops: fc.array(fc.tuple(step, pause), { maxLength: 12, size: 'max' }),
  crashAt: fc.nat({ max: 20 }),
});

/** Who belongs where, from nothing but what there is. */
function expectMembers(api: SmallApi): void {
  const { units: all, nodes: present } = api.readers;
  const membership = createMembership();
  for (const unit of all.values()) membership.putUnit(unit);
  for (const node of present.values()) membership.putNode(nameOf(node), node.metadata.labels ?? {});
  for (const { metadata, status = {} } of all.values()) {
    const { members = [], observedGeneration } = status;
    expect(members.map(({ name }) => name)).toEqual(membership.membersOf(metadata.name ?? ''));
    expect(observedGeneration).toBe(metadata.generation);
  }
  const shown = Array.from(present.values(), ({ metadata }) => metadata.labels?.[labels.nodeUnit]);
  expect(shown).toEqual(Array.from(present.values(), (node) => membership.unitOf(nameOf(node))));
}

property.prop([history], { numRuns: 80 })(
  'whatever happens in whatever order, however late it is seen: the same state is reached, and then nothing is written',
  async ({ ops, crashAt }) => {
    const api = new SmallApi();
    let controller = controllerOf(api);
    await controller.start(signal);
    for (const [place, [op, rest]] of ops.entries()) {
      op(api);
      if (place === crashAt) {
        await controller.stop();
        controller = controllerOf(api);
        await controller.start(signal);
      }
      if (rest === 'turn') await turn();
      else if (rest === 'quiet') await quiet(api);
    }
    await quiet(api);
    await controller.stop();
    expectMembers(api);
    const { writes } = api;
    const another = controllerOf(api);
    await another.start(signal);
    await quiet(api);
    await another.stop();
    expect(api.writes).toBe(writes);
  },
  patience,
);

test('a change of one unit costs what it touches', async () => {
  const api = new SmallApi();
  for (let place = 0; place < 50; place += 1) {
    api.put(nodes, nodeNamed(`n-${place}`, { [shop]: `s-${place % 10}` }));
  }
  for (let place = 0; place < 10; place += 1) {
    const members = { nodeSelector: { matchLabels: { [shop]: `s-${place}` } } };
    api.put(units, unitNamed(`s-${place}`, { members }));
  }
  api.deliverAll();
  const controller = controllerOf(api);
  await controller.start(signal);
  await quiet(api);
  const { writes } = api;
  const unit = api.get(edgeUnitResource, 's-3');
  api.put(units, { ...(unit ?? unitNamed('s-3')), spec: { ...unit?.spec, zone: 'north' } });
  await quiet(api);
  // Five Nodes, and statuses: with no time to gather there may be one for each node, twice.
  expect(api.writes - writes).toBeGreaterThanOrEqual(6);
  expect(api.writes - writes).toBeLessThanOrEqual(5 + 11);
  await controller.stop();
});

test('a unit that waits for a node is told who has it now', async () => {
  const api = new SmallApi();
  const wanting = { members: { names: ['n1'] } };
  api.put(nodes, nodeNamed('n1'));
  for (const name of ['shop-a', 'shop-b', 'shop-c']) api.put(units, unitNamed(name, wanting));
  api.deliverAll();
  const controller = controllerOf(api);
  await controller.start(signal);
  await quiet(api);
  const conflicts = (): unknown => api.get(edgeUnitResource, 'shop-c')?.status?.conflicts;
  expect(conflicts()).toEqual([{ node: 'n1', unit: 'shop-a' }]);
  const first = api.get(edgeUnitResource, 'shop-a') ?? unitNamed('shop-a');
  api.put(units, { ...first, spec: {} });
  await quiet(api);
  expect(conflicts()).toEqual([{ node: 'n1', unit: 'shop-b' }]);
  await controller.stop();
});
