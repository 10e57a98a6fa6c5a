import { hubRole, hubRules } from '@selvedge/api';
import { systemClock } from '@selvedge/kit';
import { defineResource, resources } from '@selvedge/kube';
import type {
  ResourceAttributes,
  SelfSubjectAccessReview,
  SelfSubjectAccessReviewSpec,
} from '@selvedge/kube/types';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../bed/wait.ts';
import { type HubCluster, account, namespace, nodeName, startHubCluster } from './hub-cluster.ts';

const signal = new AbortController().signal;
const selfReviews = defineResource<SelfSubjectAccessReview>({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  namespaced: false,
});

/** What the hub asks for with the node's certificate: for itself, for coverages that the node sponsors, for a kubelet. */
type Call = readonly [verbs: string, what: ResourceAttributes | { readonly path: string }];

const ofNode = { name: nodeName };
const ofPod = { namespace, name: 'pod' };
const lease = { group: 'coordination.k8s.io', resource: 'leases', namespace: 'kube-node-lease', ...ofNode };
const calls: readonly Call[] = [
  // Who may read.
  ['create', { group: 'authentication.k8s.io', resource: 'tokenreviews' }],
  ['create', { group: 'authorization.k8s.io', resource: 'subjectaccessreviews' }],
  ['get', { path: '/.well-known/openid-configuration' }],
  ['get', { path: '/openid/v1/jwks' }],
  // Documents, and whether the API server is there.
  ...['/api', '/apis', '/openapi/v2', '/openapi/v3', '/version', '/readyz', '/livez', '/healthz'].map(
    (path) => ['get', { path }] as const,
  ),
  // Coverages of the unit and of its traffic.
  ['list watch', { group: 'discovery.k8s.io', resource: 'endpointslices' }],
  ['list watch', { group: 'networking.k8s.io', resource: 'servicecidrs' }],
  ['list watch', { group: 'selvedge.io', resource: 'edgeunits' }],
  ['list watch', { resource: 'services' }],
  // The kubelet's and the pod module's.
  ['list watch', { resource: 'pods', fieldSelector: { rawSelector: `spec.nodeName=${nodeName}` } }],
  ['get', { resource: 'pods', ...ofPod }],
  ['update patch', { resource: 'pods', subresource: 'status', ...ofPod }],
  ['create delete', { resource: 'pods', ...ofPod }],
  ['get list watch', { resource: 'configmaps', namespace, name: 'config' }],
  ['get list watch', { resource: 'secrets', namespace, name: 'secret' }],
  ['create', { resource: 'serviceaccounts', subresource: 'token', namespace, name: account }],
  ['get list watch create update patch', { resource: 'nodes', ...ofNode }],
  ['update patch', { resource: 'nodes', subresource: 'status', ...ofNode }],
  ['get create update patch', lease],
  ['get create update patch', { group: 'storage.k8s.io', resource: 'csinodes', ...ofNode }],
  ['list watch', { group: 'storage.k8s.io', resource: 'csidrivers' }],
  ['list watch', { group: 'node.k8s.io', resource: 'runtimeclasses' }],
  ['create update patch', { resource: 'events', namespace }],
  ['create get list watch', { group: 'certificates.k8s.io', resource: 'certificatesigningrequests' }],
];

let cluster: HubCluster;
beforeAll(async () => {
  cluster = await startHubCluster();
  await cluster.createPod('pod', nodeName);
});
afterAll(() => cluster[Symbol.asyncDispose]());

async function isAllowed(spec: SelfSubjectAccessReviewSpec): Promise<boolean> {
  const review = await cluster.node.create(selfReviews, { metadata: {}, spec }, { signal });
  return review.status?.allowed === true;
}

const specOf = (verb: string, what: Call[1]): SelfSubjectAccessReviewSpec =>
  'path' in what
    ? { nonResourceAttributes: { verb, path: what.path } }
    : { resourceAttributes: { verb, ...what } };

interface Answers {
  readonly allowed: readonly string[];
  readonly refused: readonly string[];
}

/** Which of these calls the node may make, as text. */
async function ask(of: readonly Call[]): Promise<Answers> {
  const single = of.flatMap(([verbs, what]) => verbs.split(' ').map((verb) => [verb, what] as const));
  const answers = await Promise.all(
    single.map(async ([verb, what]) => ({
      name: nameOf(verb, what),
      may: await isAllowed(specOf(verb, what)),
    })),
  );
  const named = (which: boolean): string[] =>
    answers.filter(({ may }) => may === which).map(({ name }) => name);
  return { allowed: named(true), refused: named(false) };
}

const nameOf = (verb: string, what: Call[1]): string =>
  `${verb} ${'path' in what ? what.path : [what.resource, what.subresource].filter(Boolean).join('/')}`;

const setRules = async (rules: typeof hubRole.rules): Promise<void> => {
  const { metadata } = await cluster.admin.get(resources.clusterRoles, hubRole.metadata, { signal });
  await cluster.admin.replace(resources.clusterRoles, { ...hubRole, metadata, rules }, { signal });
};

const settle = (expected: readonly string[]): Promise<unknown> =>
  waitFor({ what: `only these to be refused: ${expected.join(', ')}` }, systemClock, async () => {
    const { refused } = await ask(calls);
    return JSON.stringify(refused) === JSON.stringify(expected);
  });

test("with the generated rules, and the API server's own for nodes, every call of the hub is allowed", async () => {
  await settle([]);
});

test.each(hubRules.map(({ rule }, index) => [JSON.stringify(rule), index] as const))(
  'without %s a call is refused',
  async (_rule, index) => {
    const rule = hubRole.rules[index];
    const broken =
      rule !== undefined && 'nonResourceURLs' in rule
        ? rule.nonResourceURLs.map((path) => `get ${path}`)
        : ['list', 'watch'].map((verb) => `${verb} ${rule?.resources.join()}`);
    await setRules(hubRole.rules.filter((_other, other) => other !== index));
    await settle(broken);
    await setRules(hubRole.rules);
    await settle([]);
  },
);

test('the node is given no more: neither other verbs nor what is beside it', async () => {
  const beyond: readonly Call[] = [
    ['get create update patch delete', { group: 'discovery.k8s.io', resource: 'endpointslices', namespace }],
    ['get create update patch delete', { group: 'networking.k8s.io', resource: 'servicecidrs' }],
    ['get create update patch delete', { group: 'selvedge.io', resource: 'edgeunits' }],
    ['list watch', { group: 'selvedge.io', resource: 'unitapps' }],
    ['list watch', { resource: 'secrets' }],
    ['list watch', { resource: 'pods' }],
    ['list watch', { resource: 'nodes' }],
    ['get', { path: '/metrics' }],
    ['get', { path: '/openid/v1/jwks/x' }],
  ];
  expect((await ask(beyond)).allowed).toEqual([]);
});

test('the issuer and the keys are really to be had', async () => {
  for (const path of ['/.well-known/openid-configuration', '/openid/v1/jwks']) {
    const { body } = await cluster.node.raw({ method: 'GET', path, accept: '*/*', signal });
    expect(Object.keys(JSON.parse(body.toString()) as object)).toContain(
      path.endsWith('jwks') ? 'keys' : 'issuer',
    );
  }
});
