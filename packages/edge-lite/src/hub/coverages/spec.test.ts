import { describe, expect, it } from 'vitest';
import { lifetimesOf } from './expiry.ts';
import { attributesOf, listedResource, selectedName, specKey } from './spec.ts';
import { spec } from './testing-world.ts';

describe('a coverage', () => {
  it.each([
    ['v1/pods', 'v1', 'pods'],
    ['apps/v1/deployments', 'apps/v1', 'deployments'],
    ['shop.example/v1beta1/tills;metadata', 'shop.example/v1beta1', 'tills'],
  ])('of %s is listed under its path, of whatever kind it is', (resource, apiVersion, plural) => {
    expect(listedResource(resource)).toMatchObject({ apiVersion, plural, kind: '' });
  });

  it('has another key for every other question', () => {
    const keys = [
      spec('v1/pods'),
      spec('v1/pods;metadata'),
      spec('v1/pods', { namespace: 'a' }),
      spec('v1/pods', { labelSelector: 'a' }),
      spec('v1/pods', { fieldSelector: 'a' }),
    ].map(specKey);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it.each([
    ['', undefined],
    ['metadata.name=web', 'web'],
    ['metadata.name!=web', undefined],
    ['metadata.namespace=shop,metadata.name=web', 'web'],
  ])('selected by %j is of the name %j', (fieldSelector, name) => {
    expect(selectedName({ fieldSelector })).toBe(name);
  });

  it('is asked for under the name that it selects, as nodes may read single secrets', () => {
    const secret = spec('v1/secrets', { namespace: 'shop', fieldSelector: 'metadata.name=login' });
    expect(attributesOf(secret, 'watch')).toEqual({
      kind: 'resource',
      verb: 'watch',
      group: '',
      version: 'v1',
      resource: 'secrets',
      subresource: '',
      namespace: 'shop',
      name: 'login',
      labelSelector: '',
      fieldSelector: 'metadata.name=login',
    });
  });
});

describe('the life of a coverage that nobody holds', () => {
  const name = { namespace: 'shop', fieldSelector: 'metadata.name=a' };
  it.each([
    ['a single secret', spec('v1/secrets', name), 600_000],
    ['a single config map', spec('v1/configmaps', name), 600_000],
    ['all secrets', spec('v1/secrets'), 86_400_000],
    ['a single Node', spec('v1/nodes', { fieldSelector: 'metadata.name=a' }), 86_400_000],
  ])('of %s', (_what, one, ms) => {
    expect(lifetimesOf(one, {})).toEqual({ unusedMs: ms, unusedBriefMs: 600_000 });
    expect(lifetimesOf(one, { unusedMs: 5, unusedConfigMs: 5 })).toEqual({ unusedMs: 5, unusedBriefMs: 5 });
  });
});
