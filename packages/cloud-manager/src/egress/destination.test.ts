import { fc, test as property } from '@fast-check/vitest';
import { createIndexedStore } from '@selvedge/kube';
import type { EndpointSlice, Node, Pod, Service } from '@selvedge/kube/types';
import { parseTarget } from '@selvedge/tunnel';
import { describe, expect, test } from 'vitest';
import {
  createClusterView,
  nodeIndexers,
  podIndexers,
  serviceIndexers,
  sliceIndexers,
} from './cluster-view.ts';
import { type Destination, resolve } from './destination.ts';

interface Cluster {
  readonly nodes?: readonly Node[];
  readonly pods?: readonly Pod[];
  readonly services?: readonly Service[];
  readonly slices?: readonly EndpointSlice[];
  /** Names; those that end in `-off` have no tunnel now. */
  readonly edges?: readonly string[];
}

let version = 0;
const metadata = (name: string, more: object = {}): Node['metadata'] => ({
  name,
  uid: name,
  resourceVersion: String((version += 1)),
  ...more,
});

function resolver(cluster: Cluster, random = 0): (text: string) => Destination {
  const nodes = createIndexedStore<Node>({ indexers: nodeIndexers });
  const pods = createIndexedStore<Pod>({ indexers: podIndexers });
  const services = createIndexedStore<Service>({ indexers: serviceIndexers });
  const endpointSlices = createIndexedStore<EndpointSlice>({ indexers: sliceIndexers });
  nodes.replace(cluster.nodes ?? [], '1');
  pods.replace(cluster.pods ?? [], '1');
  services.replace(cluster.services ?? [], '1');
  endpointSlices.replace(cluster.slices ?? [], '1');
  const view = createClusterView({
    nodes,
    pods,
    services,
    endpointSlices,
    isEdge: (node) => cluster.edges?.includes(node) ?? false,
    isConnected: (node) => !node.endsWith('-off'),
  });
  return (text) => {
    const target = parseTarget(text);
    if (target === undefined) throw new Error(`${text} is no target`);
    return resolve(target, { view, random: () => random });
  };
}

const node = (name: string, addresses: Readonly<Record<string, string>> = {}, port?: number): Node => ({
  metadata: metadata(name),
  status: {
    addresses: Object.entries(addresses).map(([type, address]) => ({ type, address })),
    ...(port === undefined ? {} : { daemonEndpoints: { kubeletEndpoint: { Port: port } } }),
  },
});

/** What the cloud gave the node for its pods. */
const withRanges = (one: Node, ...podCIDRs: readonly string[]): Node => ({ ...one, spec: { podCIDRs } });

const pod = (
  name: string,
  nodeName: string,
  ips: readonly string[],
  more: Partial<Pod['spec']> = {},
): Pod => ({
  metadata: metadata(name, { namespace: 'default' }),
  spec: { containers: [], nodeName, ...more },
  status: { phase: 'Running', podIPs: ips.map((ip) => ({ ip })) },
});

const edge = (name: string, text: string): object => ({
  kind: 'edge',
  node: name,
  target: parseTarget(text),
});
const direct = (text: string): object => ({ kind: 'direct', target: parseTarget(text) });

describe('a name', () => {
  const cluster: Cluster = {
    nodes: [
      node('shop-1', { Hostname: 'till.example' }),
      node('shop-2', { Hostname: 'twice' }, 10_251),
      node('shop-3', { Hostname: 'twice' }, 10_251),
      node('shop-4', { Hostname: 'shop-1' }),
      node('shop-5', { Hostname: 'cloud.example' }, 9_999),
      node('cloud-1', { Hostname: 'cloud.example' }),
      node('cloud-2', { Hostname: 'two.example', InternalIP: '10.0.0.6' }),
    ],
    edges: ['shop-1', 'shop-2', 'shop-3', 'shop-4', 'shop-5', 'no-node', 'cloud.example'],
  };
  const to = resolver(cluster);

  test.each([
    ['shop-1:10250', 'node', edge('shop-1', 'shop-1:10250')],
    ['SHOP-1:9100', 'node', edge('shop-1', 'shop-1:9100')],
    ['no-node:10250', 'other', direct('no-node:10250')],
    ['cloud.example:10250', 'node', direct('cloud.example:10250')],
    ['cloud.example:9999', 'node', direct('cloud.example:9999')],
    ['till.example:10250', 'node', edge('shop-1', 'till.example:10250')],
    ['cloud-1:10250', 'node', direct('cloud-1:10250')],
    ['cloud-2:10250', 'node', direct('10.0.0.6:10250')],
    ['two.example:10250', 'node', direct('10.0.0.6:10250')],
    ['webhook.example.com:443', 'other', direct('webhook.example.com:443')],
  ])('%s is found as a %s', (text, rule, route) => {
    expect(to(text)).toEqual({ rule, route });
  });

  test('that a node gives itself counts for its kubelet only', () => {
    expect(to('till.example:443')).toEqual({ rule: 'other', route: direct('till.example:443') });
  });

  test('that two nodes give themselves is refused, and both are named', () => {
    expect(to('twice:10251').route).toEqual({
      kind: 'refused',
      reason: 'twice is held by the nodes shop-2, shop-3',
    });
  });
});

describe('an address', () => {
  const cluster: Cluster = {
    nodes: [
      withRanges(node('shop-1', { InternalIP: '192.168.1.10' }), '10.244.1.0/24', 'fd00::/112'),
      node('shop-2', { InternalIP: '192.168.1.10' }),
      node('shop-3', { InternalIP: '192.168.1.11' }, 10_251),
      node('shop-4', { InternalIP: '10.0.0.4' }),
      node('cloud-1', { InternalIP: '10.0.0.4' }),
      node('cloud-2', { InternalIP: '10.0.0.5' }),
      node('cloud-3', { InternalIP: '10.0.0.5' }),
      node('shop-5'),
    ],
    pods: [
      pod('web', 'shop-1', ['10.244.1.5', 'fd00::5']),
      pod('host', 'shop-1', ['192.168.1.11'], { hostNetwork: true }),
      pod('in-the-cloud', 'cloud-1', ['10.244.9.9']),
      pod('claimed', 'shop-2', ['10.244.9.10']),
      pod('claimed-too', 'cloud-1', ['10.244.9.10']),
      pod('a-node', 'shop-2', ['10.0.0.5']),
      pod('out-of-range', 'shop-1', ['203.0.113.2', '10.244.2.3']),
      pod('without-a-node', 'no-node', ['203.0.113.3']),
      pod('anothers', 'shop-2', ['10.244.1.5']),
      pod('anothers-too', 'cloud-2', ['10.244.1.5']),
      pod('unsaid', 'shop-2', ['10.244.2.3', '10.244.2.4']),
      pod('unsaid-too', 'shop-5', ['10.244.2.4']),
      pod('same-node', 'shop-2', ['10.244.2.2']),
      pod('same-node-too', 'shop-2', ['10.244.2.2']),
      {
        ...pod('done', 'shop-3', ['10.244.1.5']),
        status: { phase: 'Succeeded', podIPs: [{ ip: '10.244.1.5' }] },
      },
    ],
    edges: ['shop-1', 'shop-2', 'shop-3', 'shop-4', 'shop-5', 'no-node'],
  };
  const to = resolver(cluster);

  test.each([
    ['10.244.1.5:8080', 'pod', edge('shop-1', '10.244.1.5:8080')],
    ['[FD00:0::5]:8080', 'pod', edge('shop-1', '[fd00::5]:8080')],
    ['[::ffff:10.244.1.5]:80', 'pod', edge('shop-1', '10.244.1.5:80')],
    ['10.244.2.2:80', 'pod', edge('shop-2', '10.244.2.2:80')],
    ['10.244.9.9:80', 'pod', direct('10.244.9.9:80')],
    ['10.244.2.3:80', 'pod', edge('shop-2', '10.244.2.3:80')],
    ['10.244.9.10:80', 'pod', direct('10.244.9.10:80')],
    ['192.168.1.11:10251', 'address', edge('shop-3', '192.168.1.11:10251')],
    ['192.168.1.11:443', 'other', direct('192.168.1.11:443')],
    ['10.0.0.4:10250', 'address', direct('10.0.0.4:10250')],
    ['10.0.0.5:10250', 'address', direct('10.0.0.5:10250')],
    ['10.0.0.5:8443', 'address', direct('10.0.0.5:8443')],
    ['203.0.113.2:80', 'other', direct('203.0.113.2:80')],
    ['203.0.113.3:80', 'other', direct('203.0.113.3:80')],
    ['203.0.113.1:443', 'other', direct('203.0.113.1:443')],
  ])('%s is found as one of a %s', (text, rule, route) => {
    expect(to(text)).toEqual({ rule, route });
  });

  test.each([
    ['192.168.1.10:10250', 'shop-1, shop-2'],
    ['10.244.2.4:80', 'shop-2, shop-5'],
  ])('%s, which two at the edge hold, is refused, and both are named', (text, names) => {
    const { host } = parseTarget(text) ?? {};
    expect(to(text).route).toEqual({ kind: 'refused', reason: `${host} is held by the nodes ${names}` });
  });

  test.each([
    ['one at the edge', ['shop-1'], edge('shop-1', '10.9.9.9:10250')],
    ['one elsewhere', ['cloud-1'], direct('10.9.9.9:10250')],
    ['several elsewhere', ['cloud-1', 'cloud-2'], direct('10.9.9.9:10250')],
    // What is not at the edge goes first: else any edge node could make the kubelets of others refused.
    ['one at the edge and one elsewhere', ['shop-1', 'cloud-1'], direct('10.9.9.9:10250')],
    [
      'two at the edge',
      ['shop-1', 'shop-2'],
      { kind: 'refused', reason: '10.9.9.9 is held by the nodes shop-1, shop-2' },
    ],
    ['two at the edge and one elsewhere', ['shop-1', 'shop-2', 'cloud-1'], direct('10.9.9.9:10250')],
  ])('that is the InternalIP of %s', (_whose, holders, route) => {
    const nodes = holders.map((name) => node(name, { InternalIP: '10.9.9.9' }));
    const find = resolver({ nodes, edges: ['shop-1', 'shop-2'] });
    expect(find('10.9.9.9:10250')).toEqual({ rule: 'address', route });
    // What a node says of itself counts for its kubelet alone.
    expect(find('10.9.9.9:443').route).toEqual(direct('10.9.9.9:443'));
  });

  test('of many is refused without naming all of them', () => {
    const nodes = Array.from({ length: 12 }, (_, i) => node(`shop-${i + 10}`, { InternalIP: '10.1.1.1' }));
    const edges = nodes.map(({ metadata: { name = '' } }) => name);
    const reason = '10.1.1.1 is held by the nodes shop-10, shop-11, shop-12, shop-13, shop-14 and 7 more';
    expect(resolver({ nodes, edges })('10.1.1.1:10250').route).toEqual({ kind: 'refused', reason });
  });
});

describe('a ClusterIP', () => {
  const service = (name: string, ip: string, ports: NonNullable<Service['spec']>['ports']): Service => ({
    metadata: metadata(name, { namespace: 'default' }),
    spec: { clusterIPs: [ip], ports },
  });
  const slice = (
    of: string,
    name: string,
    more: Omit<EndpointSlice, 'metadata' | 'addressType'>,
  ): EndpointSlice => ({
    metadata: metadata(name, { namespace: 'default', labels: { 'kubernetes.io/service-name': of } }),
    addressType: 'IPv4',
    ...more,
  });
  const cluster: Cluster = {
    services: [
      service('hook', '10.96.0.5', [
        { name: 'https', port: 443 },
        { name: 'metrics', port: 9_090 },
        { name: 'dns', port: 53, protocol: 'UDP' },
      ]),
      service('mixed', '10.96.0.6', [{ port: 443 }]),
      service('ending', '10.96.0.7', [{ port: 443 }]),
      service('nothing', '10.96.0.8', [{ port: 443 }]),
      service('bare', '10.96.0.9', [{ port: 443 }]),
    ],
    slices: [
      slice('hook', 'hook-1', {
        endpoints: [{ addresses: ['10.244.1.5'], nodeName: 'shop-1' }],
        ports: [
          { name: 'https', port: 9_443 },
          { name: 'metrics', port: 8_080 },
        ],
      }),
      slice('mixed', 'mixed-1', {
        endpoints: [
          { addresses: ['10.244.2.1'], nodeName: 'shop-off' },
          { addresses: ['10.244.2.2'], nodeName: 'shop-1', conditions: { ready: false } },
          { addresses: ['10.244.2.3'], nodeName: 'cloud-1' },
        ],
        ports: [{ port: 443 }],
      }),
      slice('ending', 'ending-1', {
        endpoints: [
          {
            addresses: ['10.244.3.1'],
            nodeName: 'shop-1',
            conditions: { ready: false, serving: true, terminating: true },
          },
          { addresses: ['10.244.3.2'], nodeName: 'shop-1', conditions: { ready: false, serving: false } },
        ],
        ports: [{ port: 443 }],
      }),
      slice('bare', 'bare-1', { endpoints: [{ addresses: ['198.51.100.7'] }], ports: [{ port: 443 }] }),
    ],
    // What a node says of itself does not get it the traffic of a Service.
    pods: [pod('thief', 'shop-1', ['10.96.0.9'])],
    nodes: [node('shop-1', { InternalIP: '198.51.100.7' })],
    edges: ['shop-1', 'shop-off'],
  };

  test.each([
    ['10.96.0.5:443', edge('shop-1', '10.244.1.5:9443')],
    ['10.96.0.5:9090', edge('shop-1', '10.244.1.5:8080')],
    ['10.96.0.7:443', edge('shop-1', '10.244.3.1:443')],
    ['10.96.0.9:443', direct('198.51.100.7:443')],
    ['10.96.0.5:53', { kind: 'refused', reason: 'Service default/hook has no TCP port 53' }],
    [
      '10.96.0.8:443',
      { kind: 'refused', reason: 'Service default/nothing has no ready endpoint on port 443' },
    ],
  ])('with the port %s goes to a ready endpoint', (text, route) => {
    for (const random of [0, 0.5, 0.999]) {
      expect(resolver(cluster, random)(text)).toEqual({ rule: 'service', route });
    }
  });

  test('goes to an endpoint that can be reached, if there is one', () => {
    for (const random of [0, 0.5, 0.999]) {
      expect(resolver(cluster, random)('10.96.0.6:443').route).toEqual(direct('10.244.2.3:443'));
    }
    const cut = { ...cluster, edges: ['shop-1', 'shop-off', 'cloud-1'] };
    const spread = new Set([0, 0.999].map((random) => resolver(cut, random)('10.96.0.6:443').route.kind));
    expect(spread).toEqual(new Set(['edge']));
  });
});

const names = fc.constantFrom('shop-1', 'shop-2', 'shop-3', 'cloud-1', 'cloud-2');
const shops = fc.constantFrom('shop-1', 'shop-2', 'shop-3');
const addresses = fc.constantFrom('10.1.0.1', '10.2.0.1', '10.3.0.1', '10.4.0.1');
const claims = fc.array(fc.tuple(shops, addresses), { maxLength: 6 });

property.prop([fc.array(fc.tuple(names, addresses), { maxLength: 6 }), claims, claims, addresses])(
  'whatever nodes at the edge say, what others hold does not change, and a pod has its range',
  (podsHeld, podClaims, nodeClaims, asked) => {
    const cluster = (pods: typeof podsHeld, held: typeof podsHeld): Cluster => ({
      nodes: [
        ...held.map(([name, ip]) =>
          withRanges(node(name, { InternalIP: ip }), `10.${name.slice(-1)}.0.0/16`),
        ),
        node('cloud-1', { InternalIP: '10.4.0.1' }),
        withRanges(node('cloud-2'), '10.5.0.0/16'),
      ],
      pods: pods.map(([name, ip], index) => pod(`pod-${index}`, name, [ip])),
      edges: ['shop-1', 'shop-2', 'shop-3'],
    });
    const fromCloud = podsHeld.filter(([name]) => name.startsWith('cloud'));
    const before = resolver(cluster(fromCloud, []))(`${asked}:10250`);
    const after = resolver(cluster([...podsHeld, ...podClaims], nodeClaims))(`${asked}:10250`);
    const ofRange = { kind: 'edge', node: `shop-${asked.split('.')[1]}` };
    if (after.rule === 'pod' && after.route.kind === 'edge') expect(after.route).toMatchObject(ofRange);
    else if (before.rule !== 'other') expect(after).toEqual(before);
  },
);
