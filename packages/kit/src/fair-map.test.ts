import { expect, test } from 'vitest';
import { FairMap } from './fair-map.ts';

function fill(map: FairMap<string, number>, owner: string, count: number): void {
  for (let at = 0; at < count; at += 1) map.set(owner, `${owner}${at}`, at);
}

test('who has too many entries loses his own, the least recently used first', () => {
  const evicted: string[] = [];
  const map = new FairMap<string, number>({
    capacity: 10,
    capacityPerOwner: 2,
    onEvict: (key) => evicted.push(key),
  });
  fill(map, 'a', 2);
  fill(map, 'b', 2);
  expect(map.get('a0')).toBe(0);
  map.set('a', 'a2', 2);
  expect(evicted).toEqual(['a1']);
  expect([...map.keys()].toSorted()).toEqual(['a0', 'a2', 'b0', 'b1']);
});

test('where all have too many, the one that has most gives way', () => {
  const map = new FairMap<string, number>({ capacity: 4, capacityPerOwner: 3 });
  fill(map, 'a', 3);
  fill(map, 'b', 1);
  fill(map, 'c', 1);
  expect([...map.keys()].toSorted()).toEqual(['a1', 'a2', 'b0', 'c0']);
});

test('one with a share of his own loses nothing to others, and takes nothing from them', () => {
  const map = new FairMap<string, number>({
    capacity: 3,
    capacityPerOwner: 3,
    isReserved: (owner) => owner === 'node',
  });
  fill(map, 'node', 4);
  for (const owner of ['a', 'b', 'c', 'd']) fill(map, owner, 2);
  const keys = [...map.keys()];
  expect(keys.filter((key) => key.startsWith('node'))).toEqual(['node1', 'node2', 'node3']);
  expect(keys).toHaveLength(6);
});

test('an entry that is set anew, even by another, is there once', () => {
  const map = new FairMap<string, number>({ capacity: 2, capacityPerOwner: 2 });
  map.set('a', 'x', 1);
  map.set('b', 'x', 2);
  expect([map.size, map.get('x'), map.delete('x'), map.delete('x'), map.size]).toEqual([
    1,
    2,
    true,
    false,
    0,
  ]);
});
