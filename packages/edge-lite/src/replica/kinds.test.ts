import { resourceName } from '@selvedge/kube';
import { expect, test } from 'vitest';
import type { ObjectRef, SourceResource } from '../pods/index.ts';
import { keyOfRef, kinds, refOfKey } from './kinds.ts';

test.each(Object.keys(kinds) as SourceResource[])(
  '%s are stored under the name with the group',
  (resource) => {
    const namespace = kinds[resource].namespaced ? { namespace: 'default' } : {};
    const ref: ObjectRef = { resource, ...namespace, name: 'web' };
    expect(keyOfRef(ref).resource).toBe(resourceName(kinds[resource]));
    expect(refOfKey(keyOfRef(ref))).toEqual(ref);
  },
);

test('a resource of another group is not one of ours', () => {
  const key = { resource: 'services.serving.knative.dev', namespace: 'default', name: 'web' };
  expect(refOfKey(key)).toBeUndefined();
});
