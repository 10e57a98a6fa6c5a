import { SelvedgeError } from '@selvedge/kit';
import type { KubeClient } from '@selvedge/kube';
import { expect, test } from 'vitest';
import { createReading } from '../../reading/index.ts';
import { needsTunnel, withoutEgress } from './api-server.ts';
import { egressConfigFile, egressFlag } from './manifest.ts';

const { signal } = new AbortController();

const apiServer = (nodeName: string, flags: readonly string[]): object => ({
  spec: { nodeName, containers: [{ name: 'kube-apiserver', command: ['kube-apiserver', ...flags] }] },
});
const ours = `${egressFlag}=${egressConfigFile}`;
const other = { spec: { nodeName: 'c4', containers: [{ name: 'other', command: [ours] }] } };
const clusterOf = (listAll: () => Promise<unknown>): Pick<KubeClient, 'get' | 'listAll'> =>
  ({ listAll }) as unknown as KubeClient;
const running = (items: readonly object[]) => clusterOf(async () => ({ items, resourceVersion: '1' }));

test('every API server that does not go through cloud-manager is told, whoever set it up', async () => {
  const pods = [apiServer('c1', [ours]), apiServer('c3', []), apiServer('c2', []), other];
  const cluster = running(pods);
  expect(await withoutEgress(createReading({ cluster, signal }))).toEqual(['c2', 'c3']);
  expect(await needsTunnel(cluster, signal)).toBe(true);
  expect(await needsTunnel(running(pods.slice(1)), signal)).toBe(false);
});

test('who may not list pods is told of none, and of everything else that went wrong', async () => {
  const failing = (code: 'Forbidden' | 'Unavailable') =>
    createReading({
      cluster: clusterOf(() => Promise.reject(new SelvedgeError('no pods', { code }))),
      signal,
    });
  const reading = failing('Forbidden');
  expect(await withoutEgress(reading)).toEqual([]);
  expect(reading.unread).toMatchObject([{ right: { resource: 'pods', namespace: 'kube-system' } }]);
  await expect(withoutEgress(failing('Unavailable'))).rejects.toMatchObject({ code: 'Unavailable' });
});
