import { fc, test as property } from '@fast-check/vitest';
import { type JsonObject, isObject } from '@selvedge/kube';
import { describe, expect, test } from 'vitest';
import { fieldsOf } from '../testing.ts';
import { hasField, owns, withoutFields } from './field-set.ts';

/** As kube-apiserver 1.36 tells them of a Deployment. */
const fields = {
  'f:metadata': { 'f:labels': { 'f:x': {} }, 'f:ownerReferences': { 'k:{"uid":"1"}': {} } },
  'f:spec': {
    'f:replicas': {},
    'f:template': {
      'f:spec': {
        'f:containers': {
          'k:{"name":"c"}': {
            '.': {},
            'f:args': {},
            'f:env': { 'k:{"name":"E"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
            'f:image': {},
            'f:name': {},
            'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
          },
        },
        'f:tolerations': {},
      },
    },
  },
};
const containerWith = (more: JsonObject): JsonObject => ({
  spec: { template: { spec: { containers: [{ name: 'c', image: 'i', ...more }] } } },
});

describe('fields of a manager', () => {
  test.each<[string, JsonObject, boolean]>([
    ['a field', { spec: { replicas: 3 } }, true],
    ['another field', { spec: { paused: true } }, false],
    ['a list as a whole', containerWith({ args: ['a', 'b'] }), true],
    ['a list that is not there', containerWith({ command: ['a'] }), false],
    ['an item by its key', containerWith({ env: [{ name: 'E', value: '' }] }), true],
    ['an item with another key', containerWith({ env: [{ name: 'F', value: '' }] }), false],
    ['a field of an item that somebody took', containerWith({ env: [{ name: 'E', valueFrom: {} }] }), false],
    ['an item whose key has a default', containerWith({ ports: [{ containerPort: 80 }] }), true],
    [
      'an item with another part of its key',
      containerWith({ ports: [{ containerPort: 80, protocol: 'UDP' }] }),
      false,
    ],
    ['an item as a whole', { metadata: { ownerReferences: [{ uid: '1', name: 'a' }] } }, true],
    ['an empty field', { spec: { template: { spec: { tolerations: [] } } } }, true],
  ])('have %s or not', (_, value, expected) => {
    expect(owns(fields, value)).toBe(expected);
  });

  test('of a set of values have these only', () => {
    const set = { 'f:finalizers': { 'v:"a"': {}, 'v:"b"': {} } };
    expect([owns(set, { finalizers: ['b', 'a'] }), owns(set, { finalizers: ['c'] })]).toEqual([true, false]);
  });

  test('are none where the set is empty', () => {
    expect(owns({}, { a: 1 })).toBe(false);
  });

  test('can be given up, with what would be left empty above', () => {
    expect(withoutFields({ 'f:spec': { 'f:a': { 'f:b': {} }, 'f:c': {} } }, ['/spec/a/b'])).toEqual({
      'f:spec': { 'f:c': {} },
    });
    const both = { 'f:spec': { 'f:a': { 'f:b': {}, 'f:c': {} }, 'f:d': {} } };
    expect(withoutFields(both, ['/spec/a/b', '/spec/a/c', '/spec/e'])).toEqual({ 'f:spec': { 'f:d': {} } });
    expect(
      withoutFields({ 'f:metadata': { 'f:labels': { 'f:a/b': {} } } }, ['/metadata/labels/a~1b']),
    ).toEqual({});
  });
});

const key = fc.constantFrom('a', 'b', 'c/d', 'name');
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(1, 'x', true),
    fc.array(fc.constantFrom('x', 'y'), { minLength: 1, maxLength: 2 }),
    fc.dictionary(key, tie('value'), { minKeys: 1, maxKeys: 3 }),
  ),
}));
const objects = fc.dictionary(key, value, { minKeys: 1, maxKeys: 3 });

/** Of all fields, objects not counted that have some. */
function pointersIn(object: JsonObject, path = ''): readonly string[] {
  return Object.entries(object).flatMap(([name, inner]) => {
    const pointer = `${path}/${name.replaceAll('/', '~1')}`;
    return isObject(inner) ? pointersIn(inner, pointer) : [pointer];
  });
}

property.prop([objects, fc.nat()])(
  'of a field that was given up nothing is left, and all else is',
  (object, which) => {
    const all = fieldsOf(object);
    expect(owns(all, object)).toBe(true);
    const pointers = pointersIn(object);
    const pointer = pointers[which % pointers.length] ?? '';
    const left = withoutFields(all, [pointer]);
    expect(hasField(all, pointer)).toBe(true);
    expect(pointers.filter((one) => hasField(left, one))).toEqual(pointers.filter((one) => one !== pointer));
  },
);
