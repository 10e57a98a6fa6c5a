import { describe, expect, it } from 'vitest';
import { diffInventories } from './diff.ts';
import { type Inventory, inventoryParts } from './types.ts';

const empty = Object.fromEntries(inventoryParts.map((part) => [part, {}])) as Inventory;
const files = (facts: Readonly<Record<string, string>>): Inventory => ({ ...empty, files: facts });

describe('the difference of two inventories', () => {
  it('is empty where nothing changed', () => {
    const one = files({ '/etc/hosts': 'file 0644' });
    expect(diffInventories(one, files({ '/etc/hosts': 'file 0644' }))).toEqual([]);
  });

  it('tells what came, what went and what is another', () => {
    const before = files({ '/a': '1', '/b': '1' });
    const after = { ...files({ '/b': '2', '/c': '1' }), users: { edge: 'x:998:998::/:/bin/false' } };
    expect(diffInventories(before, after)).toEqual([
      { part: 'files', name: '/a', before: '1' },
      { part: 'files', name: '/b', before: '1', after: '2' },
      { part: 'files', name: '/c', after: '1' },
      { part: 'users', name: 'edge', after: 'x:998:998::/:/bin/false' },
    ]);
  });

  it.each(inventoryParts)('looks at the %s', (part) => {
    expect(diffInventories(empty, { ...empty, [part]: { one: 'there' } })).toHaveLength(1);
  });
});
