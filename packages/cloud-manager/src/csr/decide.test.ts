import type { CertificateSigningRequestSpec, Node } from '@selvedge/kube/types';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { type CsrDecision, decideCsr } from './decide.ts';
import type { RequestedNames } from './request.ts';

/** No node has one for itself, whatever its status says. */
const nobodys = ['::1', '::', '0.0.0.0', '169.254.1.1', 'fe80::1', '224.0.0.1', 'ff02::1', '255.255.255.255'];

const node: Node = {
  metadata: { name: 'shop-1' },
  status: {
    addresses: [
      { type: 'InternalIP', address: '192.168.1.10' },
      { type: 'InternalIP', address: 'fd00::a' },
      { type: 'InternalIP', address: '127.0.0.1' },
      { type: 'ExternalIP', address: '203.0.113.1' },
      ...nobodys.map((address) => ({ type: 'InternalIP', address })),
      { type: 'Hostname', address: 'shop-1' },
      { type: 'InternalDNS', address: 'shop-1.example.com' },
      { type: 'InternalDNS', address: 'shop-1.default.svc' },
      { type: 'InternalDNS', address: 'kubernetes.default' },
      { type: 'InternalDNS', address: 'shop-1.nodes.selvedge' },
      { type: 'InternalDNS', address: 'shop-1.a.nodes.selvedge' },
    ],
  },
};
const names: RequestedNames = {
  commonNames: ['system:node:shop-1'],
  organizations: ['system:nodes'],
  otherAttributes: [],
  dnsNames: ['shop-1'],
  addresses: ['192.168.1.10'],
  otherNames: [],
};
const spec: CertificateSigningRequestSpec = {
  request: '',
  signerName: 'kubernetes.io/kubelet-serving',
  username: 'system:node:shop-1',
  groups: ['system:nodes', 'system:authenticated'],
  usages: ['digital signature', 'key encipherment', 'server auth'],
};

interface Case {
  readonly spec?: Partial<CertificateSigningRequestSpec>;
  readonly names?: Partial<RequestedNames>;
  readonly node?: Node | undefined;
  readonly isBanned?: boolean;
}

const decide = (change: Case): CsrDecision =>
  decideCsr({ ...spec, ...change.spec }, () => ({ ...names, ...change.names }), {
    node: 'node' in change ? change.node : node,
    isBanned: change.isBanned ?? false,
    isReserved: (name) => name === '203.0.113.1',
    domain: 'nodes.selvedge',
  });

describe('a request for a serving certificate is approved', () => {
  test.each<[string, Case]>([
    ['as kubelets make it', {}],
    ['without key encipherment', { spec: { usages: ['server auth', 'digital signature'] } }],
    ['for addresses alone', { names: { dnsNames: [] } }],
    ['for names alone', { names: { addresses: [] } }],
    ['for a name below its own', { names: { dnsNames: ['SHOP-1', 'shop-1.example.com'] } }],
    ['for its name in the domain', { names: { dnsNames: ['shop-1', 'shop-1.nodes.selvedge'] } }],
    ['for an address written in another way', { names: { addresses: ['fd00:0:0:0:0:0:0:a'] } }],
  ])('%s', (_how, change) => {
    expect(decide(change)).toEqual({ kind: 'approve', node: 'shop-1' });
  });
});

describe('a request is left alone', () => {
  test.each<[string, Case, string]>([
    ['of another user', { spec: { username: 'jane' } }, 'the requester is no node'],
    ['of somebody outside the group', { spec: { groups: [] } }, 'the requester is no node'],
    [
      'for another signer',
      { spec: { signerName: 'kubernetes.io/kube-apiserver-client' } },
      'the signer is kubernetes.io/kube-apiserver-client',
    ],
    [
      'for the certificate of a node, which the cluster itself approves',
      { spec: { signerName: 'kubernetes.io/kube-apiserver-client-kubelet' } },
      'the signer is kubernetes.io/kube-apiserver-client-kubelet',
    ],
    ['of a node that is not there', { node: undefined }, 'there is no such Node'],
    [
      'for another node',
      { names: { commonNames: ['system:node:shop-2'] } },
      'its common name "system:node:shop-2" is not the requester\'s',
    ],
    [
      'with two common names',
      { names: { commonNames: ['system:node:shop-1', 'admin'] } },
      'its common name "system:node:shop-1,admin" is not the requester\'s',
    ],
    [
      'for a powerful group',
      { names: { organizations: ['system:nodes', 'system:masters'] } },
      'its organization "system:nodes,system:masters" is not system:nodes',
    ],
    ['with more in its subject', { names: { otherAttributes: ['L'] } }, 'its subject has a L'],
    [
      'for authentication as a client',
      { spec: { usages: ['digital signature', 'server auth', 'client auth'] } },
      'it asks for the usage client auth',
    ],
    ['for no server', { spec: { usages: ['digital signature'] } }, 'it lacks the usage server auth'],
    ['for nothing', { names: { dnsNames: [], addresses: [] } }, 'it names neither a DNS name nor an address'],
    ['for an e-mail address', { names: { otherNames: ['email'] } }, 'it asks for a name of the kind email'],
    [
      'for a name that is not in the status',
      { names: { dnsNames: ['shop-9'] } },
      'shop-9 is no name of the Node',
    ],
    [
      'for the name of a Service that the node claims in its status',
      { names: { dnsNames: ['shop-1.default.svc'] } },
      'shop-1.default.svc is no name of the Node',
    ],
    [
      'for the name of the API server that the node claims in its status',
      { names: { dnsNames: ['kubernetes.default'] } },
      'kubernetes.default is no name of the Node',
    ],
    [
      'for a name in the domain that may be another node’s',
      { names: { dnsNames: ['shop-1.a.nodes.selvedge'] } },
      'shop-1.a.nodes.selvedge is no name of the Node',
    ],
    [
      'for the name in the domain of a node whose name its own begins with',
      {
        spec: { username: 'system:node:shop-1.nodes' },
        names: { commonNames: ['system:node:shop-1.nodes'], dnsNames: ['shop-1.nodes.selvedge'] },
        node: { ...node, metadata: { name: 'shop-1.nodes' } },
      },
      'shop-1.nodes.selvedge is no name of the Node',
    ],
    [
      'for an address that is not in the status',
      { names: { addresses: ['192.168.1.11'] } },
      '192.168.1.11 is no address of the Node',
    ],
    ...nobodys.map((ip): [string, Case, string] => [
      `for ${ip} that the node claims in its status`,
      { names: { addresses: [ip] } },
      `${ip} is no address of the Node`,
    ]),
    [
      'for an address as a part of IPv6',
      { names: { addresses: ['::ffff:192.168.1.10'] } },
      '::ffff:192.168.1.10 is no address of the Node',
    ],
    ['for loopback', { names: { addresses: ['127.0.0.1'] } }, '127.0.0.1 is no address of the Node'],
    [
      'for an address of the control plane that the node claims in its status',
      { names: { addresses: ['203.0.113.1'] } },
      '203.0.113.1 is reserved',
    ],
  ])('%s', (_of, change, why) => {
    expect(decide(change)).toEqual({ kind: 'leave', why });
  });
});

test.each(['kubernetes.io/kubelet-serving', 'kubernetes.io/kube-apiserver-client-kubelet'])(
  'a request of a banned node for %s is denied, whatever it asks for',
  (signerName) => {
    const change = { isBanned: true, spec: { signerName }, names: { commonNames: [] } };
    expect(decide(change)).toEqual({ kind: 'deny', node: 'shop-1' });
  },
);

const name = fc.constantFrom('shop-1', 'shop-1.example.com', 'shop-2', 'kubernetes', '*', 'localhost');
const address = fc.constantFrom('192.168.1.10', 'fd00::a', '10.0.0.1', '::1', '127.0.0.1', '203.0.113.1');

property.prop([fc.array(name), fc.array(address), fc.boolean()])(
  'nothing is approved but names and addresses of the node',
  (dnsNames, addresses, isBanned) => {
    const decision = decide({ names: { dnsNames, addresses }, isBanned });
    const own = ['shop-1', 'shop-1.example.com', '192.168.1.10', 'fd00::a'];
    const all = [...dnsNames, ...addresses];
    const good = !isBanned && all.length > 0 && all.every((each) => own.includes(each));
    expect(decision.kind === 'approve').toBe(good);
  },
);
