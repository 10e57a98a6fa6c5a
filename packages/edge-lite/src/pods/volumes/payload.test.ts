import { describe, expect, it } from 'vitest';
import type { Pod, Volume } from '@selvedge/kube/types';

import { containerWith, memoryObjects, podWith } from '../testing.ts';
import { collectPayload } from './payload.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function world() {
  const objects = memoryObjects();
  objects.put('configmaps', {
    metadata: { namespace: 'shop', name: 'conf' },
    data: { color: 'red' },
    binaryData: { raw: base64('\u0000\u0001') },
  });
  objects.put('secrets', { metadata: { namespace: 'shop', name: 'pass' }, data: { pin: base64('1234') } });
  objects.remove({ resource: 'configmaps', namespace: 'shop', name: 'gone' });
  objects.remove({ resource: 'secrets', namespace: 'shop', name: 'gone' });
  return objects;
}

async function collect(volume: Omit<Volume, 'name'>, pod: Pod = podWith()) {
  const token = () => Promise.resolve('the token');
  const payload = await collectPayload(
    { pod, objects: world(), allocatable: { memory: '1Gi' }, token },
    { name: 'v', ...volume },
  );
  return Object.fromEntries(
    [...payload].map(([path, { data, mode, uid }]) => [
      path,
      [data.toString(), mode, ...(uid === undefined ? [] : [uid])],
    ]),
  );
}

describe('a payload', () => {
  it.each<[string, Omit<Volume, 'name'>, object]>([
    [
      'is all of a config map',
      { configMap: { name: 'conf' } },
      { color: ['red', 0o644], raw: ['\u0000\u0001', 0o644] },
    ],
    [
      'is the chosen keys of one',
      { configMap: { name: 'conf', items: [{ key: 'color', path: 'a/b', mode: 0o400 }] } },
      { 'a/b': ['red', 0o400] },
    ],
    [
      'is a secret, decoded',
      { secret: { secretName: 'pass', defaultMode: 0o440 } },
      { pin: ['1234', 0o440] },
    ],
    ['is empty for what is optional and absent', { secret: { secretName: 'gone', optional: true } }, {}],
    [
      'leaves out a key that is optional and absent',
      { configMap: { name: 'conf', optional: true, items: [{ key: 'none', path: 'x' }] } },
      {},
    ],
    [
      'tells of the pod',
      {
        downwardAPI: {
          items: [
            { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
            {
              path: 'mem',
              mode: 0o600,
              resourceFieldRef: { containerName: 'main', resource: 'limits.memory', divisor: '1Mi' },
            },
          ],
        },
      },
      { labels: ['app="till"', 0o644], mem: ['1024', 0o600] },
    ],
    [
      'is a projection of several sources',
      {
        projected: {
          defaultMode: 0o444,
          sources: [
            { configMap: { name: 'conf', items: [{ key: 'color', path: 'c' }] } },
            { secret: { name: 'pass' } },
            { downwardAPI: { items: [{ path: 'n', fieldRef: { fieldPath: 'metadata.name' } }] } },
            { serviceAccountToken: { path: 'token' } },
          ],
        },
      },
      { c: ['red', 0o444], pin: ['1234', 0o444], n: ['web', 0o444], token: ['the token', 0o444] },
    ],
  ])('%s', async (_title, volume, expected) => {
    expect(await collect(volume, podWith({}, { labels: { app: 'till' } }))).toEqual(expected);
  });

  const token = { projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } };
  const as = (runAsUser: number) => containerWith({ securityContext: { runAsUser } });
  it.each<[string, Pod, readonly unknown[]]>([
    [
      'of the user that all containers run as',
      podWith({ containers: [as(5), as(5)] }),
      ['the token', 0o600, 5],
    ],
    ['of root where users differ', podWith({ containers: [as(5), as(6)] }), ['the token', 0o644]],
    [
      "for the pod's group only, if it has one",
      podWith({ securityContext: { fsGroup: 9 } }),
      ['the token', 0o600],
    ],
  ])('holds a token %s', async (_title, pod, expected) => {
    expect(await collect(token, pod)).toEqual({ token: expected });
  });

  it.each<[Omit<Volume, 'name'>, string]>([
    [{ configMap: { name: 'gone' } }, 'configmap "gone" not found'],
    [{ secret: { secretName: 'gone' } }, 'secret "gone" not found'],
    [
      { configMap: { name: 'conf', items: [{ key: 'none', path: 'x' }] } },
      'configmap references non-existent config key: none',
    ],
    [
      { secret: { secretName: 'pass', items: [{ key: 'none', path: 'x' }] } },
      'references non-existent secret key: none',
    ],
    [
      { projected: { sources: [{ configMap: { name: 'gone' } }, { secret: { name: 'gone' } }] } },
      '[configmap "gone" not found, secret "gone" not found]',
    ],
    [
      { projected: { sources: [{ clusterTrustBundle: { path: 'x' } }] } },
      'projected clusterTrustBundle is not supported on this node',
    ],
  ])('of %o fails', async (volume, message) => {
    await expect(collect(volume)).rejects.toThrow(message);
  });
});
