import type { KubeObject } from '@selvedge/kube';
import { hasCode } from '@selvedge/kit';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { applyPatchBody } from './index.ts';

const types = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

const node = (rest: object): KubeObject & Readonly<Record<string, unknown>> => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'shop-7' },
  ...rest,
});

function patched(kind: keyof typeof types, object: KubeObject, patch: unknown): unknown {
  const bytes = Buffer.from(typeof patch === 'string' ? patch : JSON.stringify(patch));
  return applyPatchBody('v1/nodes', object, { contentType: types[kind], bytes });
}

const invalid = expect.objectContaining({ code: 'Invalid' });

describe('a JSON patch', () => {
  const before = node({ list: [1, 2, 3], map: { 'a/b': 1, 'm~n': 2, gone: null } });

  test.each([
    ['adds a member', [{ op: 'add', path: '/new', value: 1 }], { new: 1 }],
    ['replaces a member', [{ op: 'add', path: '/map', value: 1 }], { map: 1 }],
    ['inserts an item', [{ op: 'add', path: '/list/1', value: 9 }], { list: [1, 9, 2, 3] }],
    ['appends an item', [{ op: 'add', path: '/list/-', value: 9 }], { list: [1, 2, 3, 9] }],
    ['counts from the end', [{ op: 'remove', path: '/list/-1' }], { list: [1, 2] }],
    ['reads escapes', [{ op: 'remove', path: '/map/a~1b' }], { map: { 'm~n': 2, gone: null } }],
    [
      'reads escapes',
      [{ op: 'replace', path: '/map/m~0n', value: 3 }],
      { map: { ...(before['map'] as object), 'm~n': 3 } },
    ],
    ['moves', [{ op: 'move', from: '/list/0', path: '/list/2' }], { list: [2, 3, 1] }],
    ['copies', [{ op: 'copy', from: '/list', path: '/map' }], { map: [1, 2, 3] }],
    ['tests', [{ op: 'test', path: '/list', value: [1, 2, 3] }], {}],
    ['takes what is not there for null', [{ op: 'test', path: '/nothing', value: null }], {}],
  ])('%s', (_, operations, changes) => {
    expect(patched('json', before, operations)).toEqual({ ...before, ...changes });
    expect(before).toEqual(node({ list: [1, 2, 3], map: { 'a/b': 1, 'm~n': 2, gone: null } }));
  });

  test.each([
    ['of no list', {}],
    ['without a path', [{ op: 'add', value: 1 }]],
    ['of an unknown operation', [{ op: 'toString', path: '/list' }]],
    ['that is no operation', ['add']],
    ['with a relative path', [{ op: 'add', path: 'list', value: 1 }]],
    ['with a place beyond the end', [{ op: 'add', path: '/list/4', value: 1 }]],
    ['with a place that is no number', [{ op: 'remove', path: '/list/length' }]],
    ['that removes what is not there', [{ op: 'remove', path: '/toString' }]],
    ['into what is not there', [{ op: 'add', path: '/nothing/a', value: 1 }]],
    ['whose test fails', [{ op: 'test', path: '/list/0', value: 2 }]],
    ['that leaves no object', [{ op: 'replace', path: '', value: [] }]],
    ['that leaves no metadata', [{ op: 'remove', path: '/metadata' }]],
    [
      'that doubles itself',
      Array.from({ length: 40 }, () => ({ op: 'copy', from: '/list', path: '/list/-' })),
    ],
    [
      'of too many operations',
      Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/x', value: null })),
    ],
    ['that is too deep', [{ op: 'add', path: '/a'.repeat(101), value: 1 }]],
  ])('%s is refused', (_, operations) => {
    expect(() => patched('json', before, operations)).toThrow(invalid);
  });
});

describe('a merge patch', () => {
  // Source: RFC 7396, appendix A.
  test.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('makes of %j with %j %j', (before, patch, after) => {
    expect(patched('merge', node(before), patch)).toEqual(node(after));
  });

  test('keeps a key called __proto__ a key', () => {
    const after = patched('merge', node({}), '{"metadata":{"labels":{"__proto__":"x"}}}');
    expect(JSON.stringify(after)).toContain('"labels":{"__proto__":"x"}');
  });
});

describe('a strategic merge patch', () => {
  const ready = { type: 'Ready', status: 'True', reason: 'A' };
  const disk = { type: 'DiskPressure', status: 'False' };
  const before = node({
    metadata: { name: 'shop-7', finalizers: ['a', 'b'], labels: { a: '1' } },
    status: { conditions: [disk, ready], images: [{ names: ['x'] }], capacity: { cpu: '1', gone: '2' } },
  });
  const status = (of: unknown): unknown => (of as { status: unknown }).status;

  test.each([
    [
      'merges items by key',
      { conditions: [{ type: 'Ready', reason: 'B' }] },
      { conditions: [disk, { ...ready, reason: 'B' }] },
    ],
    [
      'adds items',
      { conditions: [{ type: 'New', reason: null }] },
      { conditions: [{ type: 'New' }, disk, ready] },
    ],
    ['deletes items', { conditions: [{ type: 'Ready', $patch: 'delete' }] }, { conditions: [disk] }],
    [
      'replaces a merged list',
      { conditions: [{ $patch: 'replace' }, { type: 'New' }] },
      { conditions: [{ type: 'New' }] },
    ],
    ['replaces other lists', { images: [] }, { images: [] }],
    ['merges maps', { capacity: { gone: null, cpu: '2' } }, { capacity: { cpu: '2' } }],
    ['replaces maps', { capacity: { $patch: 'replace', cpu: '2' } }, { capacity: { cpu: '2' } }],
    ['empties maps', { capacity: { $patch: 'delete' } }, { capacity: {} }],
    [
      'retains keys',
      { $retainKeys: ['images', 'phase'], phase: 'x' },
      { conditions: undefined, capacity: undefined, phase: 'x' },
    ],
    [
      'orders items',
      { '$setElementOrder/conditions': [{ type: 'Ready' }, { type: 'DiskPressure' }] },
      { conditions: [ready, disk] },
    ],
    [
      'orders and merges',
      { '$setElementOrder/conditions': [{ type: 'Ready' }, { type: 'New' }], conditions: [{ type: 'New' }] },
      { conditions: [disk, ready, { type: 'New' }] },
    ],
  ])('%s', (_, patch, changes) => {
    const after = patched('strategic', before, { status: patch });
    expect(status(after)).toEqual({ ...(before['status'] as object), ...changes });
  });

  test('takes lists of texts as sets, and deletes from them', () => {
    const patch = { finalizers: ['c', 'b'], '$deleteFromPrimitiveList/finalizers': ['a'] };
    const { metadata } = patched('strategic', before, { metadata: patch }) as KubeObject;
    expect(metadata.finalizers).toEqual(['c', 'b']);
  });

  test.each([
    ['of an unknown object', { nothing: { $patch: 'merge' } }],
    ['of an unknown directive', { $patch: 'merge' }],
    ['of items without their key', { conditions: [{ status: 'True' }] }],
    ['of items that are none', { conditions: [1] }],
    ['of items with an unknown directive', { conditions: [{ type: 'Ready', $patch: 'merge' }] }],
    ['that retains less than it says', { $retainKeys: [], phase: 'x' }],
    [
      'that contradicts its own order',
      { '$setElementOrder/conditions': [{ type: 'Ready' }], conditions: [disk] },
    ],
  ])('%s is refused', (_, patch) => {
    const object = node({ status: { ...(before['status'] as object), nothing: {} } });
    expect(() => patched('strategic', object, { status: patch })).toThrow(invalid);
  });

  test('of a type without merge keys is refused', () => {
    const object = { apiVersion: 'example.com/v1', kind: 'Shop', metadata: {} };
    const unsupported = expect.objectContaining({ code: 'Unsupported' });
    expect(() => patched('strategic', object, {})).toThrow(unsupported);
    expect(() => patched('apply', object, {})).toThrow(unsupported);
  });
});

describe('an apply', () => {
  test('merges by the same keys, and has no directives', () => {
    const before = node({ status: { conditions: [{ type: 'Ready', status: 'True', reason: 'A' }] } });
    const patch = 'status:\n  conditions:\n  - type: Ready\n    status: "False"\n';
    expect(patched('apply', before, patch)).toEqual(
      node({ status: { conditions: [{ type: 'Ready', status: 'False', reason: 'A' }] } }),
    );
    expect(() => patched('apply', before, 'status: {$patch: replace}')).toThrow(invalid);
  });
});

test('another body is no patch', () => {
  const body = { contentType: 'application/json', bytes: Buffer.from('{}') };
  expect(() => applyPatchBody('v1/nodes', node({}), body)).toThrow(
    expect.objectContaining({ code: 'Unsupported' }),
  );
});

const keys = fc.constantFrom(
  'metadata',
  'status',
  'conditions',
  'type',
  'finalizers',
  '$patch',
  '$retainKeys',
  '$setElementOrder/conditions',
  '$deleteFromPrimitiveList/finalizers',
  '__proto__',
);
const { tree } = fc.letrec((tie) => ({
  leaf: fc.constantFrom<unknown>(null, 'a', 'Ready', 1, true, 'delete', 'replace'),
  list: fc.array(tie('tree'), { maxLength: 3 }),
  map: fc.dictionary(keys, tie('tree'), { maxKeys: 4 }),
  tree: fc.oneof({ maxDepth: 5, depthSize: 'small' }, tie('leaf'), tie('list'), tie('map')),
}));
const operation = fc.record(
  {
    op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'x'),
    path: fc.constantFrom(
      '',
      '/',
      '/status',
      '/status/conditions/0',
      '/status/conditions/-',
      '/__proto__/x',
      'a',
    ),
    from: fc.constantFrom('', '/status', '/status/conditions', '/constructor'),
    value: tree,
  },
  { requiredKeys: ['op'] },
);

property.prop([tree, tree, fc.constantFrom('merge', 'strategic', 'apply'), fc.array(operation)])(
  'whatever is sent, there is an object or a refusal, and nothing else is touched',
  (status, patch, kind, operations) => {
    const before = node({ status });
    const copy = structuredClone(before);
    for (const run of [
      () => patched(kind, before, { status: patch }),
      () => patched('json', before, operations),
    ]) {
      try {
        expect(run()).toHaveProperty('metadata');
      } catch (error) {
        if (!hasCode(error, 'Invalid')) throw error;
      }
    }
    expect(before).toEqual(copy);
    expect(Object.keys(Object.prototype)).toEqual([]);
  },
);
