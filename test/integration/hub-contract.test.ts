import { deepEqual, match } from 'node:assert/strict';
import { type KubeClient, resources } from '@selvedge/kube';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { type ReadApi, bytesOf } from '../contract/read-api-client.ts';
import { type ReadApiMode, prepareReadApi } from '../contract/read-api-world.ts';
import { type ReadApiCase, casesFor, runReadApiCase, warmReadApi } from '../contract/read-api.ts';
import { type HubCluster, nodeName, startHubCluster } from './hub-cluster.ts';
import { type HubProcess, createHubProcess } from './hub-process.ts';

const signal = AbortSignal.timeout(300_000);

let cluster: HubCluster;
let hub: HubProcess;
let namespace: string;
let api: ReadApi;

/** The node may read what the cases read; without that it may read no collection of configmaps. */
async function letNodeRead(admin: KubeClient): Promise<void> {
  const metadata = { namespace, name: 'read-api' };
  const rules = [{ apiGroups: [''], resources: ['configmaps', 'pods'], verbs: ['get', 'list', 'watch'] }];
  await admin.create(resources.roles, { metadata, rules }, { signal });
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'read-api' };
  const subjects = [{ kind: 'User', apiGroup: roleRef.apiGroup, name: `system:node:${nodeName}` }];
  await admin.create(resources.roleBindings, { metadata, roleRef, subjects }, { signal });
}

beforeAll(async () => {
  cluster = await startHubCluster();
  namespace = await prepareReadApi(cluster.admin, signal);
  await letNodeRead(cluster.admin);
  hub = await createHubProcess(cluster);
  await hub.start();
  api = hub.api(hub.kubelet);
});
afterAll(async () => {
  await hub?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

const run = (one: ReadApiCase, mode: ReadApiMode): Promise<void> =>
  runReadApiCase(one, { mode, api, admin: cluster.admin, namespace });

const ask = async (path: string): Promise<{ status: number; warning: unknown; body: string }> => {
  const answer = await api.send({ path, accept: 'application/json', signal: AbortSignal.timeout(10_000) });
  const { status, headers } = answer;
  return { status, warning: headers['warning'], body: (await bytesOf(answer)).toString('utf8') };
};

/** What holds of a hub only, and only while the cloud is away. */
function offlineRules(): void {
  it('every read says since when it may be old', async () => {
    for (const path of ['configmaps', 'configmaps/a', 'configmaps?watch=true&timeoutSeconds=1']) {
      const { status, warning } = await ask(`/api/v1/namespaces/${namespace}/${path}`);
      deepEqual(status, 200);
      match(String(warning), /^299 selvedge ".*since \d{4}-\d\d-\d\dT[\d:.]+Z/);
    }
  });

  it.each([
    ['a list that nobody asked for online', () => `/api/v1/namespaces/${namespace}/limitranges`],
    ['a list that is wider than what is held', () => '/api/v1/configmaps'],
    ['an object that no held list could hold', () => '/api/v1/namespaces/elsewhere/configmaps/a'],
    ['a resource that nobody asked for', () => '/apis/example.com/v1/namespaces/a/things/b'],
    ['a log', () => `/api/v1/namespaces/${namespace}/pods/near/log`],
  ])('%s is 503, not absent', async (_title, path) => {
    const { status, body } = await ask(path());
    deepEqual(status, 503, body);
    const { kind, reason, message, details } = JSON.parse(body) as Record<string, unknown>;
    deepEqual({ kind, reason }, { kind: 'Status', reason: 'ServiceUnavailable' });
    match(String(message), /^(this node|node edge) is autonomous since \d{4}-.*Z: /);
    match(JSON.stringify(details), /"retryAfterSeconds":\d+/);
  });

  it('absence is claimed where a held list proves it', async () => {
    const { status, body } = await ask(`/api/v1/namespaces/${namespace}/configmaps/none`);
    deepEqual(status, 404, body);
  });
}

describe('the read API of a running hub', () => {
  describe('while it can reach the cloud', () => {
    it.each(casesFor('hub-online'))('$title', (one) => run(one, 'hub-online'));
  });

  describe('while the cloud is away', () => {
    beforeAll(async () => {
      await warmReadApi({ mode: 'hub-online', api, admin: cluster.admin, namespace });
      await hub.cut();
    });

    it.each(casesFor('hub-offline'))('$title', (one) => run(one, 'hub-offline'));
    offlineRules();
  });

  describe('after it was killed and started while the cloud is away', () => {
    beforeAll(async () => {
      await hub.stop('SIGKILL');
      await hub.start();
      await hub.cut();
    });

    it.each(casesFor('hub-offline'))('$title', (one) => run(one, 'hub-offline'));
    offlineRules();
  });
});
