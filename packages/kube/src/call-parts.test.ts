import { describe, expect, it } from 'vitest';
import { acceptOf, itemTypeOf, typed } from './call-parts.ts';
import type { KubeObject } from './object.ts';
import { resources } from './resources.ts';

describe('the items of a list', () => {
  const unknown = { apiVersion: 'shop.example/v1', kind: '' };
  it.each([
    ['as the resource says', resources.pods, 'PodList', { apiVersion: 'v1', kind: 'Pod' }],
    ['as the list says', unknown, 'TillList', { apiVersion: 'shop.example/v1', kind: 'Till' }],
  ])('are typed %s', (_how, resource, kind, type) => {
    expect(typed(itemTypeOf(resource, { kind }), { metadata: {} })).toEqual({ ...type, metadata: {} });
  });

  it('keep the type that they name', () => {
    const item: KubeObject = { apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata', metadata: {} };
    expect(typed(itemTypeOf(unknown, { kind: 'PartialObjectMetadataList' }), item)).toEqual(item);
  });
});

it('asks for metadata in the words of the API', () => {
  expect(acceptOf({ metadataOnly: true }, 'PartialObjectMetadata')).toBe(
    'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
  );
  expect(acceptOf({}, 'PartialObjectMetadata')).toBeUndefined();
});
