import type { Secret } from '@selvedge/kube/types';
import { describe, expect, it } from 'vitest';

import { credentialsFor } from './keyring.ts';
import { parseImageReference } from './reference.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function dockerConfig(auths: object): Secret {
  return {
    metadata: { name: 'pull' },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': base64(JSON.stringify({ auths })) },
  };
}

/** Who would pull `image`, in the order of trying. */
function users(image: string, ...secrets: readonly Secret[]): readonly (string | undefined)[] {
  return credentialsFor(parseImageReference(image), secrets).map(({ username }) => username);
}

/** One secret in which the user of each location is the location itself. */
const locations = (...all: readonly string[]): Secret =>
  dockerConfig(Object.fromEntries(all.map((location) => [location, { username: location, password: 'p' }])));

describe('pull credentials', () => {
  it.each([
    ['registry.example/team/app', 'registry.example', true],
    ['registry.example/team/app', 'https://registry.example/v2/', true],
    ['registry.example/team/app', 'registry.example/team', true],
    ['registry.example/team/app', 'registry.example/other', false],
    ['registry.example/team/app', '*.example', true],
    ['registry.example/team/app', 'registry.*', true],
    ['eu.registry.example/app', '*.example', false],
    ['registry.example:5000/app', 'registry.example:5000', true],
    ['registry.example:5000/app', 'registry.example', false],
    ['registry.example/app', 'registryxexample', false],
    ['busybox', 'docker.io', true],
    ['busybox', 'https://index.docker.io/v1/', true],
    ['registry.example/app', 'https://index.docker.io/v1/', false],
  ])('of %s: those for %s: %s', (image, location, fits) => {
    expect(users(image, locations(location))).toEqual(fits ? [location] : []);
  });

  it('are tried from the most specific to the least', () => {
    const secret = locations('registry.example', 'registry.example/team/app', 'registry.example/team');
    expect(users('registry.example/team/app', secret)).toEqual([
      'registry.example/team/app',
      'registry.example/team',
      'registry.example',
    ]);
  });

  it('come from all secrets, in both formats', () => {
    const old: Secret = {
      metadata: { name: 'old' },
      type: 'kubernetes.io/dockercfg',
      data: { '.dockercfg': base64(JSON.stringify({ 'registry.example': { auth: base64('ann:pa:ss') } })) },
    };
    expect(credentialsFor(parseImageReference('registry.example/app'), [old])).toEqual([
      { username: 'ann', password: 'pa:ss' },
    ]);
    expect(users('registry.example/app', old, locations('registry.example'))).toHaveLength(2);
  });

  it('are passed over where they are broken', () => {
    const broken: readonly Secret[] = [
      { metadata: {}, type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': base64('{') } },
      { metadata: {}, type: 'kubernetes.io/dockerconfigjson' },
      {
        metadata: {},
        type: 'Opaque',
        data: { '.dockerconfigjson': base64('{"auths":{"registry.example":{}}}') },
      },
      dockerConfig({ 'registry.example': { auth: base64('no colon') } }),
      dockerConfig({ 'registry.example': 'text' }),
    ];
    expect(users('registry.example/app', ...broken)).toEqual([]);
  });
});
