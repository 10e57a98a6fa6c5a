import { expect, test } from 'vitest';
import { kubeletTarget } from './kubelet-target.ts';

const machineAddresses = ['127.0.0.1', '192.168.50.11', '10.244.3.1'];
const status = {
  addresses: [
    { type: 'ExternalIP', address: '203.0.113.7' },
    { type: 'InternalIP', address: '192.168.50.11' },
    { type: 'Hostname', address: 'shop-7' },
  ],
  daemonEndpoints: { kubeletEndpoint: { Port: 10_350 } },
};

test.each([
  ['a stock kubelet, at the Node’s address and port', { status }, '192.168.50.11:10350'],
  ['one whose Node is not known yet', { status: {} }, '127.0.0.1:10250'],
  [
    'one whose Node has an address of before, which may be a neighbour’s now',
    { status: { ...status, addresses: [{ type: 'InternalIP', address: '192.168.50.12' }] } },
    '127.0.0.1:10350',
  ],
  ['edge-lite’s own', { status, own: { address: '0.0.0.0', port: 10_250 } }, '192.168.50.11:10250'],
  ['edge-lite’s own at one address', { status, own: { address: '10.9.9.9', port: 9 } }, '10.9.9.9:9'],
  [
    'edge-lite’s own before it listens',
    { status, own: { address: '::', port: undefined } },
    '192.168.50.11:10350',
  ],
])('%s', (_case, facts, expected) => {
  const { host, port } = kubeletTarget({ machineAddresses, ...facts });
  expect(`${host}:${port}`).toBe(expected);
});
