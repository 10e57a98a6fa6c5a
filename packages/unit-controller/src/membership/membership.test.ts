import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { EdgeUnitObject } from '../objects.ts';
import { unitNamed } from '../testing.ts';
import { byAge, claimOf, wants } from './claim.ts';
import { type Membership, createMembership } from './membership.ts';

const shop = 'shops.node-restriction.kubernetes.io/shop';
const named = (...names: string[]): EdgeUnitObject['spec'] => ({ members: { names } });
const selected = (value: string): EdgeUnitObject['spec'] => ({
  members: { nodeSelector: { matchLabels: { [shop]: value } } },
});

describe('membership', () => {
  test('is by name or by label', () => {
    const membership = createMembership();
    membership.putUnit(unitNamed('a', named('one', 'later')));
    membership.putUnit(unitNamed('b', selected('b')));
    membership.putNode('one', {});
    membership.putNode('two', { [shop]: 'b' });
    membership.putNode('three', { [shop]: 'c' });
    expect(['one', 'two', 'three'].map((node) => membership.unitOf(node))).toEqual(['a', 'b', undefined]);
    expect(membership.missingOf('a')).toEqual(['later']);
    expect(membership.putNode('later', {})).toEqual(new Set(['a']));
    expect(membership.membersOf('a')).toEqual(['later', 'one']);
  });

  test('is with the oldest unit, and passes to the next one', () => {
    const membership = createMembership();
    const old = { creationTimestamp: '2025-01-01T00:00:00Z' };
    membership.putNode('n', {});
    membership.putUnit(unitNamed('a', named('n')));
    expect(membership.putUnit(unitNamed('b', named('n'), old))).toEqual(new Set(['n']));
    expect(membership.unitOf('n')).toBe('b');
    expect(membership.lostBy('a')).toEqual([{ node: 'n', unit: 'b' }]);
    expect(membership.dropUnit('b')).toEqual(new Set(['n']));
    expect(membership.unitOf('n')).toBe('a');
    expect(membership.lostBy('a')).toEqual([]);
  });

  test('ends for a unit that is being deleted and lets its members go, for others it goes on', () => {
    const membership = createMembership();
    membership.putNode('n', {});
    const deleted = { deletionTimestamp: '2026-01-02T00:00:00Z' };
    membership.putUnit(unitNamed('a', named('n'), deleted));
    expect(membership.unitOf('n')).toBe('a');
    membership.putUnit(unitNamed('a', { ...named('n'), deletionPolicy: 'release' }, deleted));
    expect(membership.unitOf('n')).toBeUndefined();
  });

  test('is not by a selector that is none, or by an empty one', () => {
    const membership = createMembership();
    membership.putNode('n', { [shop]: 'b' });
    membership.putUnit(unitNamed('all', { members: { nodeSelector: {} } }));
    const wrong = { members: { nodeSelector: { matchLabels: { 'not a key': 'x' } } } };
    membership.putUnit(unitNamed('wrong', wrong));
    expect(membership.unitOf('n')).toBeUndefined();
    expect(membership.problemOf('wrong')).toMatch(/is not a label key/);
  });
});

type Event =
  | { readonly kind: 'unit'; readonly name: string; readonly unit: EdgeUnitObject | undefined }
  | { readonly kind: 'node'; readonly name: string; readonly labels: Record<string, string> | undefined };

const nodeName = fc.constantFrom('n1', 'n2', 'n3', 'n4');
const value = fc.constantFrom('x', 'y');
const key = fc.constantFrom(shop, 'node-role.kubernetes.io/till', 'free.example.org/x');
const expressions = fc.oneof(
  fc.record({ key, operator: fc.constant('In' as const), values: fc.uniqueArray(value, { minLength: 1 }) }),
  fc.record({ key, operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const) }),
);
const members = fc.oneof(
  fc.record({ names: fc.uniqueArray(nodeName) }),
  fc.record({ nodeSelector: fc.record({ matchExpressions: fc.array(expressions, { maxLength: 2 }) }) }),
);
const unitEvent = fc
  .record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    members: fc.option(members, { nil: undefined }),
    year: fc.constantFrom('2024', '2025'),
  })
  .map(({ name, year, ...spec }): Event => {
    const metadata = { creationTimestamp: `${year}-01-01T00:00:00Z` };
    const unit =
      spec.members === undefined ? undefined : unitNamed(name, { members: spec.members }, metadata);
    return { kind: 'unit', name, unit };
  });
const nodeEvent = fc.record({
  kind: fc.constant('node' as const),
  name: nodeName,
  labels: fc.option(fc.dictionary(key, value), { nil: undefined }),
});

function put(membership: Membership, event: Event): ReadonlySet<string> {
  if (event.kind === 'unit') {
    return event.unit === undefined ? membership.dropUnit(event.name) : membership.putUnit(event.unit);
  }
  const { name, labels } = event;
  return labels === undefined ? membership.dropNode(name) : membership.putNode(name, labels);
}

interface World {
  readonly units: Map<string, EdgeUnitObject>;
  readonly nodes: Map<string, Record<string, string>>;
}

function worldAfter(events: readonly Event[]): World {
  const world: World = { units: new Map(), nodes: new Map() };
  for (const event of events) {
    if (event.kind === 'unit' && event.unit !== undefined) world.units.set(event.name, event.unit);
    else if (event.kind === 'unit') world.units.delete(event.name);
    else if (event.labels === undefined) world.nodes.delete(event.name);
    else world.nodes.set(event.name, event.labels);
  }
  return world;
}

/** Without any index: of all that want a node the first. */
function holderIn({ units, nodes }: World, node: string): string | undefined {
  const labels = nodes.get(node);
  if (labels === undefined) return undefined;
  const claims = Array.from(units.values(), claimOf).toSorted(byAge);
  return claims.find((claim) => wants(claim, node, labels))?.unit;
}

const nodes = ['n1', 'n2', 'n3', 'n4'];
const history = fc.array(fc.oneof(unitEvent, nodeEvent), { maxLength: 30 });

property.prop([history])('is what the units and nodes are, whatever happened before', (events) => {
  const membership = createMembership();
  for (const event of events) put(membership, event);
  const world = worldAfter(events);
  expect(nodes.map((node) => membership.unitOf(node))).toEqual(nodes.map((node) => holderIn(world, node)));
  for (const unit of world.units.keys()) {
    const held = nodes.filter((node) => holderIn(world, node) === unit);
    expect(membership.membersOf(unit)).toEqual(held);
  }
});

property.prop([history])('tells of every node or unit that is to be looked at again', (events) => {
  const membership = createMembership();
  for (const event of events) {
    const before = nodes.map((node) => membership.unitOf(node));
    const told = put(membership, event);
    nodes.forEach((node, place) => {
      const [was, is] = [before[place], membership.unitOf(node)];
      if (was === is) return;
      if (event.kind === 'unit') expect(told).toContain(node);
      else for (const unit of [was, is]) if (unit !== undefined) expect(told).toContain(unit);
    });
  }
});
