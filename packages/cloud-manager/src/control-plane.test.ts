import { createIndexedStore } from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import { expect, test } from 'vitest';
import { createControlPlaneNames } from './control-plane.ts';

const node = (name: string, address: string, labels: Readonly<Record<string, string>>): Node => ({
  metadata: { name, labels },
  status: {
    addresses: [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: name },
    ],
  },
});

test.each([
  ['api.example.com:6443', 'api.example.com'],
  ['[fd00::1]:6443', 'fd00::1'],
])('of the control plane are the API server at %s and the Nodes with the role', (server, host) => {
  const nodes = createIndexedStore<Node>();
  nodes.replace(
    [
      node('cp-1', '10.0.0.1', { 'node-role.kubernetes.io/control-plane': '' }),
      node('shop-1', '10.0.0.2', { 'example.com/role': 'control-plane' }),
    ],
    '1',
  );
  const isReserved = createControlPlaneNames(() => server, nodes);
  expect([host, '10.0.0.1', 'cp-1'].map(isReserved)).toEqual([true, true, true]);
  expect(['10.0.0.2', 'shop-1', 'example.com'].map(isReserved)).toEqual([false, false, false]);
});
