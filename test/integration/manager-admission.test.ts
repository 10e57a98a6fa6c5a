import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { managerAdmission, managerNamespace } from '@selvedge/api';
import { hasCode } from '@selvedge/kit';
import { type KubeClient, type KubeObject, defineResource, mergePatch, resources } from '@selvedge/kube';
import type { CertificateSigningRequest, Secret, Service } from '@selvedge/kube/types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newRequest } from '../../packages/cloud-manager/src/csr/testing.ts';
import { connectWith } from './kube-world.ts';
import {
  type ManagerWorld,
  type RunningManager,
  edgeNodeResource,
  signal,
  startManagerWorld,
  until,
} from './manager-world.ts';

/** What API servers ask, with a certificate that cloud-manager makes, and what becomes of the traffic scope of namespaces. */

const configurations = defineResource<
  KubeObject & { readonly webhooks: readonly { readonly clientConfig: { readonly caBundle?: string } }[] }
>({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  namespaced: false,
});
const configurationAt = { name: managerAdmission.configuration };
const secretAt = { namespace: managerNamespace, name: managerAdmission.secret };

const overlapSeconds = 5;
const webhook = {
  listen: '127.0.0.1:0',
  reach: { url: 'https://127.0.0.1:1' },
  certificate: { hosts: ['webhook.example.com'], overlapSeconds },
};

let world: ManagerWorld;
let managers: readonly RunningManager[];

beforeAll(async () => {
  world = await startManagerWorld();
  const file = join(import.meta.dirname, '../../deploy/crds/selvedge.io_unitapps.yaml');
  const [one, two] = await Promise.all([
    world.startManager('cloud-1', { webhook }),
    world.startManager('cloud-2', { webhook }),
    world.kubectl(['apply', '--server-side', '--filename', file]),
  ]);
  managers = [one, two];
  // Nothing here is about who is slow.
  const input = (await world.printWebhook(one)).replaceAll(/timeoutSeconds: \d+/g, 'timeoutSeconds: 30');
  await world.kubectl(['apply', '--server-side', '--filename', '-'], { input });
  await until('API servers to be told', async () => (await bundle()) === decoded(await secret(), 'ca.crt'));
});
afterAll(() => world?.[Symbol.asyncDispose]());

const secret = (): Promise<Secret> => world.admin.get(resources.secrets, secretAt, { signal });
const decoded = ({ data }: Secret, field: string): string =>
  Buffer.from(data?.[field] ?? '', 'base64').toString();

/** What all webhooks of the registration trust. */
async function bundle(): Promise<string | undefined> {
  const { webhooks } = await world.admin.get(configurations, configurationAt, { signal });
  const [first, ...more] = new Set(webhooks.map(({ clientConfig }) => clientConfig.caBundle ?? ''));
  return more.length > 0 ? undefined : Buffer.from(first ?? '', 'base64').toString();
}

async function servedOn(port: number): Promise<string | undefined> {
  const ca = decoded(await secret(), 'ca.crt');
  const socket = connect({ host: '127.0.0.1', port, ca });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

/** When each kind of change was made last, in milliseconds. */
function changeTimes(): Readonly<Record<string, number>> {
  const lines = managers.flatMap((manager) => manager.lines);
  const changes = lines.flatMap(({ text, time, change = 'tell' }) => {
    const isChange = text === 'webhook certificates changed' || text === 'API servers told whom to trust';
    return isChange ? [[String(change), Date.parse(String(time))] as const] : [];
  });
  return Object.fromEntries(changes.toSorted(([, one], [, other]) => one - other));
}

/** 'taken', or what the API server said. */
const outcome = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'taken',
    (error: Error) => error.message,
  );

/** A write that the webhook must be asked about: nobody joins without. */
async function askToJoin(
  client: KubeClient,
  name: string,
  request: Partial<RequestParts> = {},
): Promise<string> {
  const { subject = `O=system:nodes, CN=system:node:${name}`, names = [], signerName = nodeClient } = request;
  const pem = await newRequest({ subject, names });
  const usages = ['digital signature', 'client auth'];
  const spec = { request: Buffer.from(pem).toString('base64'), signerName, usages };
  const object: CertificateSigningRequest = { metadata: { generateName: 'joining-' }, spec };
  return outcome(client.create(resources.certificateSigningRequests, object, { signal, dryRun: true }));
}

const nodeClient = 'kubernetes.io/kube-apiserver-client-kubelet';

interface RequestParts {
  readonly subject: string;
  readonly names: Parameters<typeof newRequest>[0]['names'];
  readonly signerName: string;
}

async function withToken(id: string, groups: readonly string[] = []): Promise<KubeClient> {
  const stringData = {
    'token-id': id,
    'token-secret': '0123456789abcdef',
    'usage-bootstrap-authentication': 'true',
    'auth-extra-groups': ['system:bootstrappers:kubeadm:default-node-token', ...groups].join(),
  };
  const metadata = { namespace: 'kube-system', name: `bootstrap-token-${id}` };
  const type = 'bootstrap.kubernetes.io/token';
  await world.admin.create(resources.secrets, { metadata, type, stringData }, { signal });
  const bearerToken = `${id}.0123456789abcdef`;
  const { ca } = world.cluster.controlPlane;
  const client = connectWith(world.cluster.url, { certificateAuthority: ca, bearerToken });
  // The authenticator learns of the token by and by.
  await until('the token', async () => {
    const error = await client
      .create(resources.selfSubjectReviews, { metadata: {} }, { signal })
      .catch((cause: unknown) => cause);
    return !hasCode(error, 'Unauthenticated');
  });
  return client;
}

describe('joining', () => {
  let anybody: KubeClient;
  let bound: KubeClient;
  beforeAll(async () => {
    [anybody, bound] = await Promise.all([
      withToken('aaaaaa'),
      withToken('bbbbbb', ['system:bootstrappers:selvedge:node:shop:1']),
      world.addNode('here'),
    ]);
    await until('the Node to be known', async () => /already/.test(await askToJoin(anybody, 'here')));
  });
  afterAll(() => Promise.all([anybody?.close(), bound?.close()]));

  test('is for nodes that there are not yet, and of a token that names nodes for those', async () => {
    expect(await askToJoin(anybody, 'new')).toBe('taken');
    expect(await askToJoin(bound, 'shop.1')).toBe('taken');
    expect(await askToJoin(bound, 'shop.2')).toMatch(/the bootstrap token is not for node shop\.2/);
    const allow = { metadata: { name: 'here', annotations: { 'selvedge.io/allow-join': 'true' } } };
    await world.admin.create(edgeNodeResource, allow, { signal });
    await until('the permission', async () => (await askToJoin(anybody, 'here')) === 'taken');
    await world.admin.delete(edgeNodeResource, { name: 'here' }, { signal });
    await until('its end', async () => /already/.test(await askToJoin(anybody, 'here')));
  });

  test.each<[string, Partial<RequestParts>, RegExp]>([
    ['two nodes', { subject: 'O=system:nodes, CN=system:node:new, CN=system:node:here' }, /one node/],
    ['an administrator', { subject: 'O=system:nodes, O=system:masters, CN=system:node:new' }, /alone/],
    ['a name of another', { names: [{ type: 'dns', value: 'here' }] }, /the name here too/],
    ['another signer', { signerName: 'kubernetes.io/kube-apiserver-client' }, /no other signer/],
  ])('as %s is refused', async (_what, request, message) => {
    expect(await askToJoin(anybody, 'new', request)).toMatch(message);
  });

  test('gives a node no certificate of another', async () => {
    const node = world.client(await world.addNode('crook'));
    expect(await askToJoin(node, 'crook')).toBe('taken');
    expect(await askToJoin(node, 'here')).toMatch(/can only create a node CSR with CN=system:node:crook/);
    const mayBe = async (resource: string, name: string): Promise<boolean | undefined> => {
      const resourceAttributes = { verb: 'impersonate', group: '', resource, name };
      const spec = { user: 'system:node:crook', groups: ['system:nodes'], resourceAttributes };
      const { status } = await world.admin.create(
        resources.subjectAccessReviews,
        { metadata: {}, spec },
        { signal },
      );
      return status?.allowed;
    };
    expect(await mayBe('users', 'system:node:here')).toBe(false);
    expect(await mayBe('groups', 'system:nodes')).toBe(false);
  });
});

describe('the certificate', () => {
  test('is one for all servers, for its names', async () => {
    const serving = new X509Certificate(decoded(await secret(), 'tls.crt'));
    expect(serving.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(serving.checkHost('webhook.example.com')).toBe('webhook.example.com');
    const served = await Promise.all(managers.map(({ ports }) => servedOn(ports.webhook)));
    expect(served).toEqual(managers.map(() => serving.fingerprint256));
  });

  test('is put right whatever somebody writes there', async () => {
    const wrong = Buffer.from(managers[0]?.server ?? '').toString('base64');
    const operations = [{ op: 'replace' as const, path: '/webhooks/3/clientConfig/caBundle', value: wrong }];
    const patch = { type: 'application/json-patch+json', body: operations };
    await outcome(world.admin.patch(configurations, configurationAt, { patch, signal }));
    const removal = [{ op: 'remove' as const, path: '/webhooks/3/clientConfig/caBundle' }];
    const remove = { type: 'application/json-patch+json', body: removal };
    await world.admin.patch(configurations, configurationAt, { patch: remove, signal });
    const wanted = decoded(await secret(), 'ca.crt');
    await until('the authority to be put back', async () => (await bundle()) === wanted);
  });

  test('changes, its authority too, without a write that is refused', async () => {
    const token = await withToken('cccccc');
    const before = await secret();
    const said: string[] = [];
    const over = new AbortController();
    const stream = (async () => {
      while (!over.signal.aborted) said.push(await askToJoin(token, 'new'));
    })();
    // What makes a new authority: there is nobody to sign with the old one.
    await world.admin.patch(resources.secrets, secretAt, {
      patch: mergePatch({ data: { 'ca.key': null } }),
      signal,
    });
    const after = await until('another certificate', async () => {
      const now = await secret();
      return now.data?.['tls.crt'] !== before.data?.['tls.crt'] && now;
    });
    const isReplaced = ({ lines }: RunningManager): boolean =>
      lines.some(({ text }) => text === 'webhook certificate replaced');
    await until('it to be served', async () => managers.every(isReplaced));
    const count = said.length;
    await until('writes after it', async () => said.length > count + 5);
    over.abort();
    await stream;
    expect(new Set(said)).toEqual(new Set(['taken']));
    // Every API server had time to hear of the new authority before it met a certificate of it.
    const { announce = 0, tell = 0, issue = 0 } = changeTimes();
    expect(tell).toBeGreaterThan(announce);
    expect(issue - tell).toBeGreaterThanOrEqual(overlapSeconds * 1_000);
    // The old one is trusted still.
    expect(decoded(after, 'ca.crt')).toContain(decoded(before, 'ca.crt'));
    await token.close();
  });

  test('is made anew when the Secret is gone, and API servers are told', async () => {
    const before = decoded(await secret(), 'ca.crt');
    await world.admin.delete(resources.secrets, secretAt, { signal });
    await until('a new one that is trusted', async () => {
      const now = await secret().catch(() => undefined);
      return (
        now !== undefined && decoded(now, 'ca.crt') !== before && (await bundle()) === decoded(now, 'ca.crt')
      );
    });
    const token = await withToken('dddddd');
    await until('it to be asked again', async () => (await askToJoin(token, 'new')) === 'taken');
    await token.close();
  });
});

describe('what people write', () => {
  const apply = (object: object): Promise<string> =>
    world
      .kubectl(['apply', '--server-side', '--dry-run=server', '--filename', '-'], {
        input: JSON.stringify(object),
      })
      .then(
        ({ stderr }) => `taken: ${stderr}`,
        (error: Error) => error.message,
      );
  const app = (spec: object): object => ({
    apiVersion: 'selvedge.io/v1alpha1',
    kind: 'UnitApp',
    metadata: { namespace: 'default', name: 'till' },
    spec: { template: { kind: 'Deployment', spec: {} }, unitSelector: {}, ...spec },
  });
  const unit = (spec: object): object => ({
    apiVersion: 'selvedge.io/v1alpha1',
    kind: 'EdgeUnit',
    metadata: { name: 'shop-1' },
    spec,
  });
  const service = (annotations: object): object => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'default', name: 'till', annotations },
    spec: { ports: [{ port: 80 }] },
  });

  test.each<[string, object, RegExp]>([
    [
      'a word',
      service({ 'selvedge.io/traffic-scope': 'shop' }),
      /is "shop": it must be node, unit or cluster/,
    ],
    ['a time', unit({ maintenanceWindows: [{ cron: '0 25 * * *', durationMinutes: 9 }] }), /cannot be used/],
    ['a pointer', app({ unmanagedFields: ['/spec/~x'] }), /is no JSON pointer/],
  ])('is refused for %s that means nothing', async (_what, object, message) => {
    expect(await apply(object)).toMatch(message);
  });

  test('is taken with a warning where it is only odd', async () => {
    expect(await apply(unit({}))).toMatch(/taken: .*Warning: .*the unit has no members/s);
    expect(await apply(app({}))).toMatch(/taken: .*selects no unit yet/s);
  });
});

describe('the traffic scope of a namespace', () => {
  const namespace = 'shops';
  const scope = 'selvedge.io/traffic-scope';
  const annotate = (value: string | null): Promise<unknown> =>
    world.admin.patch(
      resources.namespaces,
      { name: namespace },
      { patch: mergePatch({ metadata: { annotations: { [scope]: value } } }), signal },
    );
  const add = (name: string, annotations: Readonly<Record<string, string>> = {}): Promise<Service> => {
    const metadata = { namespace, name, annotations };
    return world.admin.create(resources.services, { metadata, spec: { ports: [{ port: 80 }] } }, { signal });
  };
  const get = (name: string): Promise<Service> =>
    world.admin.get(resources.services, { namespace, name }, { signal });
  const scopes = async (): Promise<readonly (string | undefined)[]> => {
    const all = await Promise.all(['early', 'late', 'own'].map(get));
    return all.map(({ metadata }) => metadata.annotations?.[scope]);
  };
  const become = (...wanted: readonly (string | undefined)[]): Promise<true> =>
    until(
      `scopes ${wanted.join()}`,
      async () => JSON.stringify(await scopes()) === JSON.stringify(wanted) || undefined,
    );

  test('is what its Services have that have none, and nothing else of them is touched', async () => {
    await world.admin.create(resources.namespaces, { metadata: { name: namespace } }, { signal });
    await add('early', { team: 'a' });
    await annotate('unit');
    await add('late');
    await add('own', { [scope]: 'node' });
    await become('unit', 'unit', 'node');
    // A person takes one over, which stays as it is from then on.
    await world.kubectl([
      'annotate',
      'service',
      'late',
      '--namespace',
      namespace,
      '--overwrite',
      `${scope}=cluster`,
    ]);
    await annotate('node');
    await become('node', 'cluster', 'node');
    // What has changed nothing for them has written nothing: a Service that came later has been seen to.
    const versions = (): Promise<readonly (string | undefined)[]> =>
      Promise.all(['early', 'late', 'own'].map(async (name) => (await get(name)).metadata.resourceVersion));
    const before = await versions();
    await world.kubectl(['annotate', 'namespace', namespace, 'team=b']);
    await add('marker');
    await until('the marker', async () => (await get('marker')).metadata.annotations?.[scope] === 'node');
    expect(await versions()).toEqual(before);
    const { resourceVersion } = (await get('own')).metadata;
    await annotate(null);
    await become(undefined, 'cluster', 'node');
    expect((await get('own')).metadata.resourceVersion).toBe(resourceVersion);
    expect((await get('early')).metadata.annotations).toEqual({ team: 'a' });
  });
});

test('the rights of the manifest are enough for all of this', async () => {
  const admin = await world.cluster.controlPlane.issue({
    commonName: 'root',
    organizations: ['system:masters'],
  });
  for (const manager of managers) {
    const { body } = await manager.get('/metrics', admin);
    expect(body).not.toMatch(/^selvedge_kube_requests_total\{[^}]*code="403"/m);
    expect(manager.lines.filter(({ level }) => level === 'error')).toEqual([]);
  }
});

test('only a control plane joins while nobody answers, and nodes go on writing', async () => {
  const token = await withToken('eeeeee');
  const ofControlPlane = await withToken('ffffff', ['system:bootstrappers:selvedge:control-plane']);
  const node = world.client(await world.addNode('steady'));
  for (const manager of managers) manager.signal('SIGKILL');
  await Promise.all(managers.map(({ exited }) => exited));
  expect(await askToJoin(token, 'new')).toMatch(/failed calling webhook "joining\.identity\.selvedge\.io"/);
  expect(await askToJoin(ofControlPlane, 'new')).toBe('taken');
  const lease = {
    metadata: { namespace: 'kube-node-lease', name: 'steady' },
    spec: { holderIdentity: 'steady' },
  };
  expect(await outcome(node.create(resources.leases, lease, { signal }))).toBe('taken');
  await Promise.all([token.close(), ofControlPlane.close()]);
});
