import { fc, test as property } from '@fast-check/vitest';
import { type PushedToNode, edgeNodeDefinition, labels } from '@selvedge/api';
import type { Node } from '@selvedge/kube/types';
import { describe, expect, test } from 'vitest';
import { changed, nodeNamed, unitNamed } from '../testing.ts';
import { fieldsOf, givenBy } from './fields.ts';
import { type NodeFacts, type NodeStep, planNode } from './plan-node.ts';

interface World {
  readonly node: Node;
  readonly pushed: PushedToNode | undefined;
  readonly hasEdgeNode: boolean;
}

const fresh = (node: Node): World => ({ node, pushed: undefined, hasEdgeNode: false });

function after(world: World, step: NodeStep): World {
  switch (step.kind) {
    case 'create':
      return { ...world, hasEdgeNode: true };
    case 'record':
      return { ...world, pushed: step.pushed };
    case 'change':
      return { ...world, node: changed(world.node, step) };
  }
}

/** Until nothing is left to do; with a crash after so many steps. */
function settled(start: World, given: NodeFacts['given'], stepsBeforeCrash = Infinity): World {
  let world = start;
  let left = stepsBeforeCrash;
  for (let round = 0; round < 5; round += 1) {
    const { steps } = planNode({ ...world, given });
    for (const step of steps) {
      if (left === 0) break;
      world = after(world, step);
      left -= 1;
    }
  }
  return world;
}

const shop = givenBy(
  unitNamed('shop-1', {
    labels: { tier: 'gold' },
    taints: [{ key: 'shop', effect: 'NoSchedule' }],
    unschedulable: true,
  }),
);

/** As much as the definition lets a unit give. */
const most = (of: string): NodeFacts['given'] => {
  const few = { labels: 32, annotations: 32, taints: 16 };
  const keys = (count: number) => Array.from({ length: count }, (_, at) => `${of}-${at}`);
  const values = (count: number) => Object.fromEntries(keys(count).map((key) => [key, of]));
  return givenBy(
    unitNamed('shop-1', {
      labels: values(few.labels),
      annotations: values(few.annotations),
      taints: keys(few.taints).map((key) => ({ key, effect: 'NoSchedule' as const })),
      unschedulable: true,
    }),
  );
};

describe('the plan for a node', () => {
  test('records no more than the definition takes, also where all takes the place of all and a server dies meanwhile', () => {
    const given = settled(fresh(nodeNamed('n')), most('first'));
    const died = settled(given, most('second'), 1);
    const recorded = after(died, planNode({ ...died, given: most('third') }).steps[0] ?? { kind: 'create' });
    const status = 'versions[0].schema.openAPIV3Schema.properties.status';
    expect(edgeNodeDefinition.spec).toHaveProperty(
      `${status}.properties.unit.properties.fields.maxItems`,
      256,
    );
    expect(recorded.pushed?.fields?.length).toBeGreaterThan(2 * (32 + 32 + 16));
    expect(recorded.pushed?.fields?.length).toBeLessThanOrEqual(256);
  });

  test('records what it sets before it sets it', () => {
    const { steps } = planNode({ ...fresh(nodeNamed('n')), given: shop });
    expect(steps.map(({ kind }) => kind)).toEqual(['create', 'record', 'change']);
    expect(steps[1]).toMatchObject({
      pushed: {
        name: 'shop-1',
        fields: [
          'labels[selvedge.node-restriction.kubernetes.io/unit]',
          'labels[tier]',
          'labels[topology.kubernetes.io/zone]',
          'taints[shop:NoSchedule]',
          'unschedulable',
        ],
      },
    });
  });

  test('gives all of it, and puts back what somebody changed', () => {
    const world = settled(fresh(nodeNamed('n')), shop);
    expect(world.node.metadata.labels).toEqual({
      tier: 'gold',
      [labels.zone]: 'shop-1',
      [labels.nodeUnit]: 'shop-1',
    });
    expect(world.node.spec).toEqual({
      taints: [{ key: 'shop', effect: 'NoSchedule' }],
      unschedulable: true,
    });
    const drifted = { ...world, node: nodeNamed('n', { ...world.node.metadata.labels, tier: 'lead' }) };
    expect(settled(drifted, shop).node.metadata.labels).toEqual(world.node.metadata.labels);
  });

  test('leaves alone what somebody else set, and says so if it is something else', () => {
    const taken = nodeNamed(
      'n',
      { tier: 'lead', colour: 'red' },
      { taints: [{ key: 'shop', effect: 'NoSchedule', value: 'x' }], unschedulable: true },
    );
    const world = settled(fresh(taken), shop);
    expect(planNode({ ...world, given: shop })).toEqual({
      steps: [],
      conflicts: ['labels[tier]', 'taints[shop:NoSchedule]'],
    });
    expect(world.node.metadata.labels).toMatchObject({ tier: 'lead', colour: 'red' });
    const left = settled(world, undefined);
    expect(left.node.metadata.labels).toEqual({ tier: 'lead', colour: 'red' });
    expect(left.node.spec).toEqual(taken.spec);
    expect(left.pushed).toBeUndefined();
  });

  test('takes nothing from a later Node of the same name', () => {
    const { pushed } = settled(fresh(nodeNamed('n')), shop);
    const another = nodeNamed('n', { tier: 'lead' });
    const node = { ...another, metadata: { ...another.metadata, uid: 'uid-later' } };
    const world = settled({ node, pushed, hasEdgeNode: true }, shop);
    expect(planNode({ ...world, given: shop })).toEqual({ steps: [], conflicts: ['labels[tier]'] });
    expect(settled({ node, pushed, hasEdgeNode: true }, undefined).node.metadata.labels).toEqual({
      tier: 'lead',
    });
  });

  test('has a node leave before it joins', () => {
    const world = settled(fresh(nodeNamed('n')), shop);
    const other = givenBy(unitNamed('shop-2', { zone: '' }));
    const { steps } = planNode({ ...world, given: other });
    expect(steps.map(({ kind }) => kind)).toEqual(['change', 'record']);
    expect(steps[1]).toEqual({ kind: 'record', pushed: undefined });
    const moved = settled(world, other);
    expect(moved.node.metadata.labels).toEqual({ [labels.nodeUnit]: 'shop-2' });
    expect(moved.node.spec).toEqual({ taints: [] });
  });

  test('takes the label of a unit from a node that belongs to none', () => {
    const world = settled(fresh(nodeNamed('n', { [labels.nodeUnit]: 'shop-1' })), undefined);
    expect(world.node.metadata.labels).toEqual({});
  });

  test('counts only what the cloud recorded: what a node says of itself takes nothing from others', () => {
    const lying = {
      ...nodeNamed('n', { tier: 'gold' }, { taints: [{ key: 'maintenance', effect: 'NoExecute' }] }),
      hasEdgeNode: true,
    };
    const node = { ...lying, metadata: { ...lying.metadata, annotations: { 'selvedge.io/pushed': 'all' } } };
    expect(planNode({ node, given: undefined, hasEdgeNode: true, pushed: undefined }).steps).toEqual([]);
  });
});

const word = fc.constantFrom('a', 'b', 'c');
const dictionary = fc.dictionary(word, word, { maxKeys: 3 });
const taint = fc.record({
  key: word,
  value: word,
  effect: fc.constantFrom('NoSchedule' as const, 'NoExecute' as const),
});
const taints = fc.uniqueArray(taint, { selector: ({ key, effect }) => `${key}:${effect}`, maxLength: 3 });
const given = fc
  .record({
    name: fc.constantFrom('shop-1', 'shop-2'),
    labels: dictionary,
    annotations: dictionary,
    taints,
    unschedulable: fc.boolean(),
    zone: fc.constantFrom('', 'north'),
  })
  .map(({ name, ...spec }) => givenBy(unitNamed(name, spec)));
const node = fc
  .record({ labels: dictionary, annotations: dictionary, taints, unschedulable: fc.boolean() })
  .map(({ labels: own, annotations, unschedulable, ...spec }): Node => {
    const named = nodeNamed('n', own, { ...spec, ...(unschedulable ? { unschedulable } : {}) });
    return { ...named, metadata: { ...named.metadata, annotations } };
  });
const life = fc.array(fc.option(given, { nil: undefined }), { maxLength: 4 });

property.prop([node, life, fc.nat({ max: 6 })])(
  'is empty once it was carried out, after any history and after a crash at any step',
  (start, units, crash) => {
    let world = fresh(start);
    for (const unit of units) {
      const reached = settled(settled(world, unit, crash), unit);
      expect(planNode({ ...reached, given: unit }).steps).toEqual([]);
      world = reached;
    }
  },
);

property.prop([node, life, fc.nat({ max: 6 })])(
  'leaves a node that has left all units as it was',
  (start, units, crash) => {
    let world = fresh(start);
    for (const unit of units) world = settled(settled(world, unit, crash), unit);
    const left = settled(world, undefined);
    expect(fieldsOf(left.node)).toEqual(fieldsOf(start));
    expect(left.pushed).toBeUndefined();
  },
);

property.prop([node, given])('gives a member everything, or names it as a conflict', (start, unit) => {
  const world = settled(fresh(start), unit);
  const has = fieldsOf(world.node);
  const { conflicts } = planNode({ ...world, given: unit });
  for (const [field, value] of unit.fields) {
    if (conflicts.includes(field)) expect(has.get(field)).toBe(fieldsOf(start).get(field));
    else expect(has.get(field)).toBe(value);
  }
});
