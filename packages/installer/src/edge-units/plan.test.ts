import { describe, expect, it } from 'vitest';
import type { ClusterChange } from '../changes/index.ts';
import { planUnit } from './create.ts';
import { addMembers } from './membership.ts';
import type { EdgeUnitObject } from '../edge-objects.ts';
import { planMove } from './plan-move.ts';
import { nodeSelectorOf } from './selector.ts';

const key = 'shops.node-restriction.kubernetes.io/shop';
type Members = NonNullable<NonNullable<EdgeUnitObject['spec']>['members']>;

const unit = (name: string, members?: Members): EdgeUnitObject => ({
  metadata: { name, generation: 7 },
  spec: members === undefined ? {} : { members },
});
const named = (name: string, ...names: readonly string[]): EdgeUnitObject =>
  unit(name, { names: [...names] });
const labelled = (name: string, matchLabels: Readonly<Record<string, string>>): EdgeUnitObject =>
  unit(name, { nodeSelector: { matchLabels } });

const whats = (changes: readonly ClusterChange[]): readonly string[] =>
  changes.map(({ where, what }) => `${where}: ${what}`);
const bodies = (changes: readonly ClusterChange[]): readonly unknown[] =>
  changes.map(({ write }) =>
    'body' in write ? write.body : 'operations' in write ? write.operations : undefined,
  );

const naming = (names: readonly string[]): unknown => [
  { op: 'test', path: '/metadata/generation', value: 7 },
  { op: 'add', path: '/spec/members', value: { names } },
];

describe('a move', () => {
  const move = { node: 'till', unit: 'to' };
  const node = (labels: Readonly<Record<string, string>> = {}) => ({ metadata: { name: 'till', labels } });

  it('leaves, then joins, where both have names; each write is of what was seen', () => {
    const changes = planMove(move, { units: [named('from', 'a', 'till'), named('to', 'b')], node: node() });
    expect(whats(changes)).toEqual(['unit from: remove member till', 'unit to: add member till']);
    expect(bodies(changes)).toEqual([naming(['a']), naming(['b', 'till'])]);
  });

  it('joins only, after it was broken off in between', () => {
    expect(whats(planMove(move, { units: [named('from'), unit('to')], node: undefined }))).toEqual([
      'unit to: add member till',
    ]);
  });

  it.each<[string, readonly EdgeUnitObject[], Readonly<Record<string, string>>]>([
    ['names', [named('from'), named('to', 'till')], {}],
    ['labels', [labelled('from', { [key]: '1' }), labelled('to', { [key]: '2' })], { [key]: '2' }],
  ])('is empty at its target, by %s', (_what, units, labels) => {
    expect(planMove(move, { units, node: node(labels) })).toEqual([]);
  });

  it('sets the label that the one selects by and not the other', () => {
    const units = [
      labelled('from', { [key]: '1', 'x.node-restriction.kubernetes.io/y': 'z' }),
      labelled('to', { [key]: '2' }),
    ];
    const changes = planMove(move, {
      units,
      node: node({ [key]: '1', 'x.node-restriction.kubernetes.io/y': 'z' }),
    });
    expect(bodies(changes)).toEqual([
      { metadata: { labels: { 'x.node-restriction.kubernetes.io/y': null, [key]: '2' } } },
    ]);
  });

  it('takes away the label of the one, and names it in the other', () => {
    const units = [labelled('from', { [key]: '1' }), unit('to')];
    expect(whats(planMove(move, { units, node: node({ [key]: '1' }) }))).toEqual([
      `node till: remove label ${key}`,
      'unit to: add member till',
    ]);
  });

  it.each<[string, readonly EdgeUnitObject[], string]>([
    ['a unit that is not there', [named('from', 'till')], 'NotFound'],
    [
      'a selector that cannot be turned round',
      [unit('to', { nodeSelector: nodeSelectorOf(`${key} in (2,3)`) })],
      'Unsupported',
    ],
  ])('is refused for %s', (_what, units, code) => {
    expect(() => planMove(move, { units, node: node() })).toThrow(expect.objectContaining({ code }));
  });

  it('is refused by labels for a node that is not there', () => {
    const units = [labelled('to', { [key]: '2' })];
    expect(() => planMove(move, { units, node: undefined })).toThrow('node till not found');
  });
});

describe('a new unit', () => {
  it('is the same in any order of its nodes', () => {
    expect(planUnit({ name: 'a', nodes: ['y', 'x'] }, [named('a', 'x', 'y')])).toEqual([]);
  });

  it.each<[string, Parameters<typeof planUnit>[0], string]>([
    ['is there otherwise', { name: 'a', nodes: ['z'] }, 'AlreadyExists'],
    ['wants a node of another', { name: 'b', nodes: ['x'] }, 'Conflict'],
    ['selects by order', { name: 'b', selector: 'n>3' }, 'Invalid'],
  ])('is refused if it %s', (_what, options, code) => {
    expect(() => planUnit(options, [named('a', 'x', 'y')])).toThrow(expect.objectContaining({ code }));
  });
});

describe('members of a token', () => {
  it('are added to those that are there, once', () => {
    const units = [named('a', 'x')];
    expect(bodies(addMembers(units, 'a', ['x', 'y']))).toEqual([naming(['x', 'y'])]);
    expect(addMembers(units, 'a', ['x'])).toEqual([]);
  });

  it.each<[string, readonly EdgeUnitObject[], string]>([
    ['of another unit', [named('a'), named('b', 'x')], 'Conflict'],
    ['of a unit by labels', [labelled('a', { [key]: '1' })], 'Unsupported'],
    ['of no unit', [], 'NotFound'],
  ])('are refused if they are %s', (_what, units, code) => {
    expect(() => addMembers(units, 'a', ['x'])).toThrow(expect.objectContaining({ code }));
  });
});

describe('a selector', () => {
  it.each([
    [`${key}=1`, { matchLabels: { [key]: '1' } }],
    [
      'a in (b,c),!d,e',
      {
        matchExpressions: [
          { key: 'a', operator: 'In', values: ['b', 'c'] },
          { key: 'd', operator: 'DoesNotExist' },
          { key: 'e', operator: 'Exists' },
        ],
      },
    ],
    ['a=1,a=2', { matchLabels: { a: '2' }, matchExpressions: [{ key: 'a', operator: 'In', values: ['1'] }] }],
  ])('%s is an object', (text, selector) => {
    expect(nodeSelectorOf(text)).toEqual(selector);
  });
});
