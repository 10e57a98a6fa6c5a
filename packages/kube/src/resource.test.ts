import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { compareResourceVersions, keyOf, refOfKey } from './object.ts';
import { defineResource, resourceName, resourcePath } from './resource.ts';
import { resources } from './resources.ts';

const { pods, nodes, deployments } = resources;

describe('paths', () => {
  it.each([
    [resourcePath(pods), '/api/v1/pods'],
    [resourcePath(pods, { namespace: 'a' }), '/api/v1/namespaces/a/pods'],
    [
      resourcePath(pods, { namespace: 'a', name: 'b', subresource: 'status' }),
      '/api/v1/namespaces/a/pods/b/status',
    ],
    [resourcePath(nodes, { namespace: 'ignored', name: 'n' }), '/api/v1/nodes/n'],
    [resourcePath(deployments, { namespace: 'a' }), '/apis/apps/v1/namespaces/a/deployments'],
    [resourcePath(nodes, { name: 'system:node' }), '/api/v1/nodes/system%3Anode'],
  ])('%s', (path, expected) => {
    expect(path).toBe(expected);
  });

  it.each(['', '.', '..', 'a/b', 'a%2fb'])('refuses the name %j, which would change the path', (name) => {
    expect(() => resourcePath(nodes, { name })).toThrow(expect.objectContaining({ code: 'Invalid' }));
  });

  it('wants a namespace for an object that has one', () => {
    expect(() => resourcePath(pods, { name: 'a' })).toThrow('Pod a needs a namespace');
  });

  it('names resources with their group', () => {
    const gadgets = defineResource({
      apiVersion: 'x.io/v1',
      kind: 'Gadget',
      plural: 'gadgets',
      namespaced: true,
    });
    expect([resourceName(pods), resourceName(gadgets)]).toEqual(['pods', 'gadgets.x.io']);
  });
});

describe('keys and versions', () => {
  it('turns objects into keys and back', () => {
    expect(keyOf({ metadata: { namespace: 'a', name: 'b' } })).toBe('a/b');
    expect(refOfKey('a/b')).toEqual({ namespace: 'a', name: 'b' });
    expect(refOfKey(keyOf({ metadata: { name: 'n' } }))).toEqual({ name: 'n' });
  });

  property.prop([fc.bigInt({ min: 0n }), fc.bigInt({ min: 0n })])(
    'orders versions as numbers of any length',
    (a, b) => {
      const order = a === b ? 0 : a < b ? -1 : 1;
      expect(Math.sign(compareResourceVersions(String(a), String(b)))).toBe(order);
    },
  );
});
