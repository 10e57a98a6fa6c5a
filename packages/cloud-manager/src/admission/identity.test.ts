import type { NodeState } from '@selvedge/api';
import { SelvedgeError } from '@selvedge/kit';
import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import type { RequestedNames } from '../csr/index.ts';
import type { EdgeNodeObject } from '../edge-nodes/index.ts';
import { identityDenialOf, nodeClientSigner, parseCertificateReview } from './identity.ts';
import { requestedNames } from './testing.ts';

const token = ['system:bootstrappers', 'system:authenticated'];
const bound = (...nodes: readonly string[]): readonly string[] => [
  ...token,
  ...nodes.map((node) => `system:bootstrappers:selvedge:node:${node}`),
];
const asNode = (name: string, more: Partial<RequestedNames> = {}): RequestedNames =>
  requestedNames({ commonNames: [`system:node:${name}`], organizations: ['system:nodes'], ...more });

interface Asked {
  readonly groups?: readonly string[];
  readonly signerName?: string;
}

const mayJoin = (name: string, state: NodeState | undefined): EdgeNodeObject => ({
  metadata: { name, annotations: { 'selvedge.io/allow-join': 'true' } },
  ...(state === undefined ? {} : { status: { state } }),
});

/**
 * Nodes without an EdgeNode: `here`. EdgeNodes: `was` with no Node any more, `planned` that never came; those that may come
 * again: `again`, `moved` without a state, and `back`, which has come.
 */
const edgeNodes = new Map<string, EdgeNodeObject>([
  ['was', { metadata: { name: 'was' }, status: { state: 'Connected' } }],
  ['planned', { metadata: { name: 'planned' } }],
  ['again', mayJoin('again', 'Expired')],
  ['back', mayJoin('back', 'Connected')],
  ['moved', mayJoin('moved', undefined)],
]);
const nodes = new Map(['here', 'again', 'back', 'moved'].map((name) => [name, { metadata: { name } }]));

function denial(
  names: RequestedNames | undefined,
  { groups = token, signerName }: Asked = {},
): string | undefined {
  const namesIn = (): RequestedNames => {
    if (names === undefined) throw new SelvedgeError('it is two', { code: 'Invalid' });
    return names;
  };
  const review = {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'u',
      operation: 'CREATE',
      userInfo: { username: 'system:bootstrap:abcdef', groups },
      object: { spec: { request: 'AAAA', signerName: signerName ?? nodeClientSigner } },
    },
  };
  return identityDenialOf(parseCertificateReview(JSON.stringify(review)), { nodes, edgeNodes, namesIn });
}

test.each<[string, RequestedNames | undefined, Asked, RegExp]>([
  ['a new node', asNode('new'), {}, /^taken$/],
  ['a node that is expected', asNode('planned'), {}, /^taken$/],
  ['a node that there is', asNode('here'), {}, /there is a node here already, .* replaced, delete the Node$/],
  ['a node that there was', asNode('was'), {}, /there is a node was already, .* annotate edgenode was /],
  ['a node that may come again', asNode('again'), {}, /^taken$/],
  ['one that was no edge node', asNode('moved'), {}, /^taken$/],
  ['one that has come', asNode('back'), {}, /there is a node back already/],
  ['the node that the token is for', asNode('new'), { groups: bound('other', 'new') }, /^taken$/],
  ['the same with dots', asNode('new.shop.7'), { groups: bound('new:shop:7') }, /^taken$/],
  ['another node', asNode('new'), { groups: bound('a', 'b:c') }, /not for node new: .* those of a, b\.c/],
  ['an existing node that the token is for', asNode('here'), { groups: bound('here') }, /already/],
  ['a request that can be read in several ways', undefined, {}, /cannot be told .*it is two/],
  [
    'two common names',
    asNode('new', { commonNames: ['system:node:new', 'system:node:here'] }),
    {},
    /one node/,
  ],
  ['no node', asNode('new', { commonNames: ['new'] }), {}, /its common name/],
  ['the node of no name', asNode(''), {}, /its common name/],
  ['an administrator too', asNode('new', { organizations: ['system:nodes', 'system:masters'] }), {}, /alone/],
  ['a name of a server too', asNode('new', { dnsNames: ['here'] }), {}, /the name here too/],
  ['an address too', asNode('new', { addresses: ['10.0.0.1'] }), {}, /10\.0\.0\.1 too/],
  ['a mail address too', asNode('new', { otherNames: ['email'] }), {}, /email too/],
  ['more of a subject', asNode('new', { otherAttributes: ['2.5.4.11'] }), {}, /has a 2\.5\.4\.11/],
  ['a node by another signer', asNode('new'), { signerName: 'example.org/own' }, /no other signer/],
  [
    'the group of nodes by another signer',
    requestedNames({ commonNames: ['jane'], organizations: ['system:nodes'] }),
    { signerName: 'kubernetes.io/kube-apiserver-client' },
    /no other signer/,
  ],
  [
    'somebody else by another signer',
    requestedNames({ commonNames: ['jane'] }),
    { signerName: 'example.org/own' },
    /^taken$/,
  ],
  ['what somebody without a token asks for', asNode('here'), { groups: ['system:nodes'] }, /^taken$/],
])('%s', (_what, names, asked, expected) => {
  expect(denial(names, asked) ?? 'taken').toMatch(expected);
});

property.prop([fc.oneof(fc.json(), fc.string())])('whatever is sent is such a review or Invalid', (text) => {
  expect(() => parseCertificateReview(text)).toThrow(expect.objectContaining({ code: 'Invalid' }));
});
