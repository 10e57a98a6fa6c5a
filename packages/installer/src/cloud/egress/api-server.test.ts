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

test('every API server that does not go through cloud-manager is told, whoever set it up', async () => {
  const pods = [apiServer('c1', [ours]), apiServer('c3', []), apiServer('c2', []), other];
  const cluster = clusterOf(pods);
  expect(await withoutEgress(createReading({ cluster: { ...cluster, get: neverAsked }, signal }))).toEqual(['c2', 'c3']);
  expect(await needsTunnel(cluster, signal)).toBe(true);
  expect(await needsTunnel(clusterOf(pods.slice(1)), signal)).toBe(false);
});

test('who may not list pods is told of none', async () => {
  const denied = { list: async () => ({ kind: 'unread', right: pods, why: 'no' }) as const };
  expect(await withoutEgress(denied)).toEqual([]);
});
