import { SelvedgeError } from '@selvedge/kit';
import type { KubeClient } from '@selvedge/kube';
import { expect, test } from 'vitest';
import { needsTunnel, withoutEgress } from './api-server.ts';
import { egressConfigFile, egressFlag } from './manifest.ts';

const { signal } = new AbortController();

const apiServer = (nodeName: string, flags: readonly string[]): object => ({
  spec: { nodeName, containers: [{ name: 'kube-apiserver', command: ['kube-apiserver', ...flags] }] },
});
const ours = `${egressFlag}=${egressConfigFile}`;
const other = { spec: { nodeName: 'c4', containers: [{ name: 'other', command: [ours] }] } };
const clusterOf = (items: readonly object[]): Pick<KubeClient, 'listAll'> =>
  ({ listAll: async () => ({ items, resourceVersion: '1' }) }) as unknown as KubeClient;

test('of the machines that are asked for, those whose API server lost its way through cloud-manager are told', async () => {
  const pods = [apiServer('c1', [ours]), apiServer('c2', []), apiServer('c3', []), other];
  const cluster = clusterOf(pods);
  expect(await withoutEgress(['c1', 'c2', 'c4', 'gone'], cluster, signal)).toEqual(['c2']);
  expect(await needsTunnel(cluster, signal)).toBe(true);
  expect(await needsTunnel(clusterOf(pods.slice(1)), signal)).toBe(false);
});

test('who may not list pods is told of none, and of everything else that went wrong', async () => {
  const failing = (code: 'Forbidden' | 'Unavailable'): Pick<KubeClient, 'listAll'> => ({
    listAll: () => Promise.reject(new SelvedgeError('no pods', { code })),
  });
  expect(await withoutEgress(['c1'], failing('Forbidden'), signal)).toEqual([]);
  await expect(withoutEgress(['c1'], failing('Unavailable'), signal)).rejects.toMatchObject({
    code: 'Unavailable',
  });
});
