import { expect, test } from 'vitest';
import { type CustomResourceVersion, customResourceDefinition } from './custom-resource.ts';

const version = (name: string, storage: boolean, more: object = {}): CustomResourceVersion => ({
  name,
  storage,
  spec: { type: 'object', description: 'Wanted.', properties: {} },
  status: { type: 'object', description: 'Seen.', properties: {} },
  columns: [],
  ...more,
});
const resource = {
  group: 'selvedge.io',
  kind: 'Gadget',
  plural: 'gadgets',
  shortNames: [],
  scope: 'Cluster',
  description: 'A gadget.',
} as const;

test('a resource may have versions side by side, one of them stored, an old one deprecated', () => {
  const versions = [
    version('v1alpha1', false, { deprecationWarning: 'use v1beta1' }),
    version('v1beta1', true, { rules: [{ rule: 'true', message: 'never' }] }),
  ];
  const { metadata, spec } = customResourceDefinition({ ...resource, versions });
  expect(metadata.name).toBe('gadgets.selvedge.io');
  expect(spec).toMatchObject({
    conversion: { strategy: 'None' },
    versions: [
      { name: 'v1alpha1', served: true, storage: false, deprecated: true, deprecationWarning: 'use v1beta1' },
      {
        name: 'v1beta1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { 'x-kubernetes-validations': [{ rule: 'true', message: 'never' }] } },
      },
    ],
  });
  expect(spec['versions']).not.toHaveProperty('1.deprecated');
});

test('versions with other fields are converted by a webhook', () => {
  const webhook = { conversionReviewVersions: ['v1'] };
  const conversion = { strategy: 'Webhook', webhook } as const;
  const { spec } = customResourceDefinition({ ...resource, versions: [version('v1', true)], conversion });
  expect(spec['conversion']).toEqual(conversion);
});
