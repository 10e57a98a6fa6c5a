import { expect, test } from 'vitest';
import type { ClusterView, NamedNode } from '../egress/index.ts';
import { edgeTargetOf } from './edge-target.ts';

const edge: NamedNode = { node: 'shop-1', kubeletPort: 10_250 };
const cloud: NamedNode = { node: 'cloud-1', kubeletPort: 10_250 };
const all = [edge, cloud];

/** One node at the edge with a pod, one that is not, a Service; two shops with the same address. */
const view: ClusterView = {
  isEdge: (node) => node !== 'cloud-1',
  isConnected: () => true,
  node: (name) => all.find(({ node }) => node === name),
  nodesByHostname: (name) => (name === 'till.lan' ? [edge] : []),
  nodesByAddress: (address) => {
    if (address === '192.168.50.11') return [edge, { node: 'shop-2', kubeletPort: 10_250 }];
    return address === '192.168.50.12' ? [edge] : [];
  },
  nodesByPodAddress: (address) => {
    if (address === '10.244.7.5') return [{ node: 'shop-1', isOfNode: true }];
    return address === '10.244.1.5' ? [{ node: 'cloud-1', isOfNode: true }] : [];
  },
  service: (ip) => (ip === '10.96.0.1' ? { name: 'default/kubernetes', endpoints: () => [] } : undefined),
};

const ask = (host: string, port: number): unknown =>
  edgeTargetOf({ host, port }, { view, domain: 'nodes.selvedge' });

test.each([
  ['shop-1', 10_250, 'shop-1'],
  ['SHOP-1', 10_250, 'shop-1'],
  ['shop-1.nodes.selvedge', 10_250, 'shop-1'],
  ['till.lan', 10_250, 'till.lan'],
  ['192.168.50.12', 10_250, '192.168.50.12'],
  ['10.244.7.5', 8_080, '10.244.7.5'],
  ['::ffff:10.244.7.5', 1, '10.244.7.5'],
])('%s:%i is at the edge', (host, port, asked) => {
  expect(ask(host, port)).toEqual({ node: 'shop-1', target: { host: asked, port } });
});

test.each([
  ['shop-1', 22, "of node shop-1 only port 10250, the kubelet's, is reached here"],
  ['cloud-1', 10_250, 'cloud-1:10250 is not at the edge'],
  ['10.244.1.5', 80, '10.244.1.5:80 is not at the edge'],
  ['10.96.0.1', 443, '10.96.0.1 is of Service default/kubernetes, and none of a pod'],
  ['192.168.50.11', 10_250, '192.168.50.11 is held by the nodes shop-1, shop-2'],
  ['192.168.50.12', 22, '192.168.50.12:22 is not at the edge'],
  ['example.com', 443, 'example.com:443 is not at the edge'],
  ['169.254.169.254', 80, '169.254.169.254:80 is not at the edge'],
  ['localhost', 10_250, 'localhost:10250 is not at the edge'],
])('%s:%i is refused', (host, port, message) => {
  expect(() => ask(host, port)).toThrow(expect.objectContaining({ code: 'Forbidden', message }) as Error);
});
