import { type KubeClient, createIndexedStore } from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import { describe, expect, test } from 'vitest';
import { type IsReserved, createReserved } from './reserved.ts';

const node = (name: string, address: string, labels: Readonly<Record<string, string>>): Node => ({
  metadata: { name, labels },
  status: {
    addresses: [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: name },
    ],
  },
});

const objects: Readonly<Record<string, readonly object[]>> = {
  servicecidrs: [{ metadata: { name: 'kubernetes' }, spec: { cidrs: ['10.96.0.0/16', 'fd00:96::/112'] } }],
  endpointslices: [
    { metadata: { name: 'kubernetes' }, addressType: 'IPv4', endpoints: [{ addresses: ['192.0.2.6'] }] },
  ],
};
const listAll: KubeClient['listAll'] = async (resource) => ({
  items: (objects[resource.plural] ?? []) as never,
  resourceVersion: '1',
});

async function reserved(server: string, listed: readonly string[] = []): Promise<IsReserved> {
  const nodes = createIndexedStore<Node>();
  nodes.replace(
    [
      node('cp-1', '10.0.0.1', { 'node-role.kubernetes.io/control-plane': '' }),
      node('shop-1', '10.0.0.2', { 'example.com/role': 'control-plane' }),
    ],
    '1',
  );
  return createReserved(listed, { client: { server, listAll }, nodes })(new AbortController().signal);
}

describe('reserved are', () => {
  test.each<[string, string, readonly string[]]>([
    ['the API server by name', 'api.example.com:6443', ['api.example.com', 'API.example.com']],
    ['the API server by IPv4', '10.0.0.10:6443', ['10.0.0.10', '::ffff:10.0.0.10', '::ffff:a00:a']],
    ['the API server by IPv6', '[fd00::1]:6443', ['fd00::1', 'fd00:0:0:0:0:0:0:1', 'FD00::0001']],
    ['Nodes with the role', 'a:1', ['10.0.0.1', 'cp-1', 'CP-1', '::ffff:10.0.0.1']],
    ['the addresses of Services', 'a:1', ['10.96.0.1', '10.96.255.254', '::ffff:10.96.0.10', 'fd00:96::a']],
    ['the endpoints of the API server', 'a:1', ['192.0.2.6', '::ffff:192.0.2.6']],
    ['the names of the API server in pods', 'a:1', ['kubernetes', 'kubernetes.default']],
  ])('%s', async (_what, server, hosts) => {
    const isReserved = await reserved(server);
    expect(hosts.filter((host) => !isReserved(host))).toEqual([]);
  });

  test('the names, addresses and networks of the config', async () => {
    const isReserved = await reserved('a:1', ['vip.example.com', 'fd00:0::7', '203.0.113.0/24']);
    const hosts = ['vip.example.com', 'VIP.example.com', 'fd00::7', '203.0.113.9', '::ffff:203.0.113.9'];
    expect(hosts.filter((host) => !isReserved(host))).toEqual([]);
  });

  test('no others', async () => {
    const isReserved = await reserved('api.example.com:6443', ['203.0.113.0/24']);
    const hosts = [
      '10.0.0.2',
      'shop-1',
      'example.com',
      '10.97.0.1',
      'fd00:96::1:0',
      '192.0.2.7',
      '203.0.114.1',
    ];
    expect(hosts.filter(isReserved)).toEqual([]);
  });
});

test('what cannot be found out is no reason to approve', async () => {
  const client = { server: 'a:1', listAll: () => Promise.reject(new Error('forbidden')) };
  const nodes = createIndexedStore<Node>();
  await expect(createReserved([], { client, nodes })(new AbortController().signal)).rejects.toThrow(
    'forbidden',
  );
});
