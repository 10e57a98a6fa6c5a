import { X509Certificate, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  SelvedgeError,
  createListeners,
  createMetricsRegistry,
  hasCode,
  silentLogger,
  systemClock,
} from '@selvedge/kit';
import { recordingLogger, seededRandom } from '@selvedge/kit/testing';
import { type KubeClient, resources } from '@selvedge/kube';
import type { UserInfo } from '@selvedge/kube/types';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createAccess } from '../../packages/edge-lite/src/hub/access/index.ts';
import type { Access, Attributes } from '../../packages/edge-lite/src/hub/access/types.ts';
import type { Caller } from '../../packages/edge-lite/src/hub/request.ts';
import type { Connectivity } from '../../packages/edge-lite/src/hub/upstream/index.ts';
import { type Store, openStore } from '../../packages/edge-lite/src/store/index.ts';
import { waitFor } from '../bed/wait.ts';
import { type HubCluster, account, namespace, nodeName, startHubCluster } from './hub-cluster.ts';

const signal = new AbortController().signal;
const user = `system:serviceaccount:${namespace}:${account}`;

let cluster: HubCluster;
let folder: string;
let store: Store;
let access: Access;
const pods = new Set<string>();
const log = recordingLogger();
const withdrawn: Attributes[] = [];

/** The link to the cloud: what goes through it fails while it is cut. */
const link = {
  connectivity: { kind: 'online', sinceMs: 0, server: 'private' } as Connectivity,
  listeners: createListeners<Connectivity>(silentLogger),
  set(now: Connectivity): void {
    this.connectivity = now;
    this.listeners.tell(now);
  },
  through(client: KubeClient): Pick<KubeClient, 'create' | 'raw'> {
    const check = (): void => {
      if (this.connectivity.kind === 'offline') throw new SelvedgeError('cut', { code: 'Unavailable' });
    };
    return {
      create: async (...call) => {
        check();
        return client.create(...call);
      },
      raw: async (call) => {
        check();
        return client.raw(call);
      },
    };
  },
};

const cut = (): void => link.set({ kind: 'offline', sinceMs: Date.now(), reason: 'cut' });
const heal = (): void => link.set({ kind: 'online', sinceMs: Date.now(), server: 'private' });

async function startAccess(): Promise<void> {
  store = await openStore({
    path: join(folder, 'state.db'),
    sealKeyPath: join(folder, 'seal.key'),
    driver: 'node',
  });
  access = createAccess(
    { nodeName, clients: ['system:kube-proxy'], operators: ['system:masters'], maxDecisionAgeMs: 500 },
    {
      client: link.through(cluster.node),
      upstream: {
        get connectivity() {
          return link.connectivity;
        },
        onConnectivity: link.listeners.add,
      },
      runtime: store.runtime,
      authorities: () => cluster.controlPlane.ca,
      hasPod: ({ uid }) => pods.has(uid),
      knownToken: () => false,
      newUid: randomUUID,
      clock: systemClock,
      random: seededRandom(1),
      log,
      metrics: createMetricsRegistry(),
    },
  );
  access.onWithdrawn((_user, attributes) => withdrawn.push(attributes));
  await access.start(signal);
}

beforeAll(async () => {
  cluster = await startHubCluster();
  folder = await mkdtemp(join(tmpdir(), 'hub-access-'));
  await startAccess();
});
afterAll(async () => {
  await access.stop();
  store.close();
  await rm(folder, { recursive: true });
  await cluster[Symbol.asyncDispose]();
});
beforeEach(heal);

const byToken = (bearerToken: string): Promise<Caller> =>
  access.authenticate({ certificate: undefined, bearerToken, remoteAddress: '' }, signal);

/** What the API server says itself of whoever asks. */
async function whoIs(client: KubeClient): Promise<UserInfo | undefined> {
  const review = await client.create(resources.selfSubjectReviews, { metadata: {} }, { signal });
  return review.status?.userInfo;
}

const list = (changed: Partial<Attributes & { readonly kind: 'resource' }> = {}): Attributes => ({
  kind: 'resource',
  verb: 'list',
  group: '',
  version: 'v1',
  resource: 'services',
  subresource: '',
  namespace,
  name: '',
  labelSelector: '',
  fieldSelector: '',
  ...changed,
});

describe('a token', () => {
  test('gives the user that the API server makes of it, online and off', async () => {
    const pod = await cluster.createPod('token', nodeName);
    const uid = pod.metadata.uid ?? '';
    pods.add(uid);
    const token = await cluster.requestToken(pod);
    const expected = await whoIs(cluster.withToken(token));
    const caller = await byToken(token);
    expect(caller).toMatchObject({ kind: 'token', pod: { namespace, name: 'token', uid } });
    expect(caller.user).toEqual(expected);
    const unseen = await cluster.requestToken(pod);
    const other = await whoIs(cluster.withToken(unseen));
    cut();
    expect((await byToken(token)).user).toEqual(expected);
    expect((await byToken(unseen)).user).toEqual(other);
  });

  test('of a pod elsewhere is good online and not off', async () => {
    const token = await cluster.requestToken(await cluster.createPod('elsewhere', 'other'));
    expect((await byToken(token)).kind).toBe('token');
    cut();
    await expect(byToken(token)).rejects.toMatchObject({ code: 'Unauthenticated' });
  });

  test('for another audience is refused, online and off', async () => {
    const pod = await cluster.createPod('audience', nodeName);
    pods.add(pod.metadata.uid ?? '');
    const token = await cluster.requestToken(pod, ['vault']);
    await expect(byToken(token)).rejects.toMatchObject({ code: 'Unauthenticated' });
    cut();
    await expect(byToken(token)).rejects.toMatchObject({ code: 'Unauthenticated' });
  });

  test('of a pod that is gone is refused, and stays so when the cloud goes', async () => {
    const pod = await cluster.createPod('gone', nodeName);
    pods.add(pod.metadata.uid ?? '');
    const token = await cluster.requestToken(pod);
    await cluster.admin.delete(
      resources.pods,
      { namespace, name: 'gone' },
      { signal, gracePeriodSeconds: 0 },
    );
    await waitFor({ what: 'the token to be refused' }, systemClock, async () => {
      const seen = await whoIs(cluster.withToken(token)).catch(() => 'refused');
      return seen === 'refused';
    });
    await expect(byToken(token)).rejects.toMatchObject({ code: 'Unauthenticated' });
    cut();
    pods.delete(pod.metadata.uid ?? '');
    await expect(byToken(token)).rejects.toMatchObject({ code: 'Unauthenticated' });
  });
});

describe('a certificate', () => {
  test('gives the user that the API server makes of it', async () => {
    const organizations = ['system:masters', 'a, b', 'Größe'];
    const pair = await cluster.issue({ commonName: 'jo', organizations, usages: ['client'] });
    const certificate = new Uint8Array(new X509Certificate(pair.certificate).raw);
    const caller = await access.authenticate(
      { certificate, bearerToken: undefined, remoteAddress: '' },
      signal,
    );
    expect(caller.kind).toBe('operator');
    expect(caller.user).toEqual(await whoIs(cluster.as(pair)));
  });

  test("for servers is refused, though the cluster's CA signed it", async () => {
    const kubelet = { commonName: `system:node:${nodeName}`, organizations: ['system:nodes'] };
    const pair = await cluster.issue({ ...kubelet, usages: ['server'] });
    const certificate = new Uint8Array(new X509Certificate(pair.certificate).raw);
    const presented = { certificate, bearerToken: undefined, remoteAddress: '' };
    await expect(access.authenticate(presented, signal)).rejects.toMatchObject({ code: 'Unauthenticated' });
    await expect(whoIs(cluster.as(pair))).rejects.toMatchObject({ code: 'Unauthenticated' });
  });
});

describe('a decision', () => {
  const someone = { username: user, groups: ['system:serviceaccounts', 'system:authenticated'] };
  const authorize = async (attributes: Attributes, who = someone): Promise<boolean> =>
    (await access.authorize(who, attributes, signal)).allowed;
  const binding = 'readers';
  const grant = async (): Promise<void> => {
    const [group, kind] = ['rbac.authorization.k8s.io', 'ClusterRole'];
    const roleRef = { apiGroup: group, kind, name: 'system:aggregate-to-view' };
    const subjects = [{ kind: 'ServiceAccount', name: account, namespace }];
    const object = { metadata: { name: binding, namespace }, roleRef, subjects };
    await cluster.admin.create(resources.roleBindings, object, { signal });
    await waitFor({ what: 'the grant' }, systemClock, () => authorize(list()));
  };
  const withdraw = (): Promise<void> =>
    cluster.admin.delete(resources.roleBindings, { namespace, name: binding }, { signal });

  test('follows grant and withdrawal; a watch that goes on hears of it', async () => {
    expect(await authorize(list())).toBe(false);
    await grant();
    expect(await authorize(list({ namespace: '' }))).toBe(false);
    const told = withdrawn.length;
    await withdraw();
    await waitFor({ what: 'the withdrawal' }, systemClock, async (inner) => {
      const { allowed } = await access.reauthorize(someone, list(), inner);
      return !allowed;
    });
    expect(withdrawn.slice(told)).toEqual([list()]);
  });

  test('is the last one while the cloud is away, across a restart; what nobody asked is not made up', async () => {
    await grant();
    const refused = list({ resource: 'secrets' });
    expect(await authorize(refused)).toBe(false);
    cut();
    await access.stop();
    store.close();
    await startAccess();
    await withdraw();
    expect(await authorize(list())).toBe(true);
    expect(await authorize(refused)).toBe(false);
    await expect(authorize(list({ resource: 'pods' }))).rejects.toMatchObject({ code: 'Unavailable' });
    heal();
    await waitFor({ what: 'the withdrawal to be seen' }, systemClock, async () => !(await authorize(list())));
  });

  test('of RBAC about one name says nothing of another, be the name empty', async () => {
    const [group, kind] = ['rbac.authorization.k8s.io', 'User'];
    const named = { username: 'named', groups: ['system:authenticated'] };
    for (const [name, resource] of [
      ['some', 'secrets'],
      ['', 'endpoints'],
    ] as const) {
      const metadata = { name: resource, namespace };
      const rules = [{ apiGroups: [''], resources: [resource], verbs: ['get'], resourceNames: [name] }];
      await cluster.admin.create(resources.roles, { metadata, rules }, { signal });
      const roleRef = { apiGroup: group, kind: 'Role', name: resource };
      const subjects = [{ apiGroup: group, kind, name: named.username }];
      await cluster.admin.create(resources.roleBindings, { metadata, roleRef, subjects }, { signal });
    }
    const may = (resource: string, name: string): Promise<boolean> =>
      authorize(list({ verb: 'get', resource, name }), named);
    await waitFor({ what: 'the grant' }, systemClock, () => may('secrets', 'some'));
    // The API server has seen the later binding once it says so of the empty name.
    await waitFor({ what: 'the other grant' }, systemClock, async (inner) => {
      const resourceAttributes = { verb: 'get', resource: 'endpoints', namespace };
      const review = {
        metadata: {},
        spec: { user: named.username, groups: named.groups, resourceAttributes },
      };
      const { status } = await cluster.admin.create(resources.subjectAccessReviews, review, {
        signal: inner,
      });
      return status?.allowed === true;
    });
    for (const [resource, name] of [
      ['secrets', 'other'],
      ['endpoints', 'any'],
    ] as const) {
      expect(await may(resource, name)).toBe(false);
    }
    cut();
    expect(await may('secrets', 'some')).toBe(true);
    expect(await may('secrets', 'other')).toBe(false);
    await expect(may('secrets', 'third')).rejects.toMatchObject({ code: 'Unavailable' });
  });

  test('of the Node authorizer sees the selectors and the name', async () => {
    const node = { username: `system:node:${nodeName}`, groups: ['system:nodes', 'system:authenticated'] };
    const of = (changed: object): Promise<boolean> =>
      authorize(list({ resource: 'pods', namespace: '', ...changed }), node);
    expect(await of({ fieldSelector: `spec.nodeName=${nodeName}` })).toBe(true);
    expect(await of({ fieldSelector: 'spec.nodeName=other' })).toBe(false);
    expect(await of({})).toBe(false);
    expect(await of({ resource: 'nodes', name: nodeName })).toBe(true);
    expect(await of({ resource: 'nodes' })).toBe(false);
  });
});

describe('what is open to everybody who is authenticated', () => {
  const paths = ['/api', '/api/v1', '/apis', '/apis/apps/v1', '/openapi/v2', '/openapi/v3/api/v1']
    .concat(['/version', '/version/', '/healthz', '/livez', '/readyz', '/readyz/etcd'])
    .concat(['/metrics', '/logs', '/openid/v1/jwks']);
  const may = async (groups: readonly string[], path: string): Promise<boolean> => {
    const review = {
      metadata: {},
      spec: { user: 'anybody', groups, nonResourceAttributes: { verb: 'get', path } },
    };
    const { status } = await cluster.admin.create(resources.subjectAccessReviews, review, { signal });
    return status?.allowed === true;
  };

  test.each(paths)('%s: the same as in a stock cluster, without a question', async (path) => {
    const groups = ['system:authenticated'];
    const expected = await may(groups, path);
    cut();
    const question = { kind: 'nonResource', verb: 'get', path } as const;
    const asked = access.authorize({ username: 'nobody asked', groups }, question, signal);
    const open = await asked.then(
      ({ allowed }) => allowed,
      (error: unknown) => (hasCode(error, 'Unavailable') ? false : error),
    );
    expect(open).toBe(expected);
  });

  test('the keys of tokens are open to service accounts in a stock cluster', async () => {
    expect(await may(['system:serviceaccounts'], '/openid/v1/jwks')).toBe(true);
  });

  test('nothing is for who shows nothing, though a stock cluster tells him its version and health', async () => {
    expect(await may(['system:unauthenticated'], '/version')).toBe(true);
    const presented = { certificate: undefined, bearerToken: undefined, remoteAddress: '' };
    await expect(access.authenticate(presented, signal)).rejects.toMatchObject({ code: 'Unauthenticated' });
    cut();
    await expect(access.authenticate(presented, signal)).rejects.toMatchObject({ code: 'Unavailable' });
  });
});
