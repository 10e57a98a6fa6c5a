import type { KubeClient } from '@selvedge/kube';
import { resources } from '@selvedge/kube';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { errorResponse } from '../../packages/edge-lite/src/hub/answers/index.ts';
import type { HubHandler } from '../../packages/edge-lite/src/hub/request.ts';
import { type ReadApi, createHttpsReadApi } from '../contract/read-api-client.ts';
import { type ReadApiMode, prepareReadApi } from '../contract/read-api-world.ts';
import { casesFor, runReadApiCase, warmReadApi } from '../contract/read-api.ts';
import { type HubCluster, nodeName, startHubCluster } from './hub-cluster.ts';
import { type HubSite, createHubSite, nodeCaller } from './hub-writes-world.ts';

const signal = AbortSignal.timeout(300_000);

/** The node may read what the cases read; without that it may read no collection of configmaps. */
async function letNodeRead(admin: KubeClient, namespace: string): Promise<void> {
  const metadata = { namespace, name: 'read-api' };
  const rules = [{ apiGroups: [''], resources: ['configmaps', 'pods'], verbs: ['get', 'list', 'watch'] }];
  await admin.create(resources.roles, { metadata, rules }, { signal });
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'read-api' };
  const subjects = [{ kind: 'User', apiGroup: roleRef.apiGroup, name: `system:node:${nodeName}` }];
  await admin.create(resources.roleBindings, { metadata, roleRef, subjects }, { signal });
}

async function* chunksOf(
  body: Uint8Array | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  if (body instanceof Uint8Array) yield body;
  else yield* body;
}

/** The hub's handler as its endpoint serves it, to the node. */
function hubReadApi(handler: HubHandler): ReadApi {
  return {
    async send({ path, accept, headers = {}, signal: ends }) {
      const { pathname, searchParams } = new URL(path, 'https://hub');
      const wanted = accept === undefined ? {} : { accept };
      const request = { method: 'GET', path: pathname, query: searchParams, body: undefined } as const;
      const sent = { ...request, headers: { ...wanted, ...headers }, caller: nodeCaller, signal: ends };
      const response = await handler(sent).catch((error: unknown) => errorResponse(error));
      return { ...response, body: chunksOf(response.body) };
    },
  };
}

describe('the read API', () => {
  let cluster: HubCluster;
  let site: HubSite;
  let namespace: string;
  const stack = new DisposableStack();

  beforeAll(async () => {
    cluster = await startHubCluster();
    namespace = await prepareReadApi(cluster.admin, signal);
    await letNodeRead(cluster.admin, namespace);
    site = await createHubSite(cluster);
    await site.start();
  });
  afterAll(async () => {
    stack.dispose();
    await site?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  });

  const run = async (
    one: ReturnType<typeof casesFor>[number],
    mode: ReadApiMode,
    api: ReadApi,
  ): Promise<void> => runReadApiCase(one, { mode, api, admin: cluster.admin, namespace });

  describe('of kube-apiserver', () => {
    let api: ReadApi;
    beforeAll(async () => {
      const { controlPlane } = cluster;
      const pair = await cluster.issue({
        commonName: 'reader',
        organizations: ['system:masters'],
        usages: ['client'],
      });
      const url = `https://127.0.0.1:${controlPlane.port}`;
      const options = { url, ca: controlPlane.ca, certificate: pair.certificate, privateKey: pair.key };
      api = stack.use(createHttpsReadApi(options));
    });

    it.each(casesFor('server'))('$title', (one) => run(one, 'server', api));
  });

  describe('of the hub while it can reach the cloud', () => {
    it.each(casesFor('hub-online'))('$title', (one) => run(one, 'hub-online', hubReadApi(site.run.handler)));
  });

  describe('of the hub while the cloud is away', () => {
    beforeAll(async () => {
      const api = hubReadApi(site.run.handler);
      await warmReadApi({ mode: 'hub-online', api, admin: cluster.admin, namespace });
      await site.cut();
    });

    it.each(casesFor('hub-offline'))('$title', (one) =>
      run(one, 'hub-offline', hubReadApi(site.run.handler)),
    );
  });

  describe('of the hub that was started without the cloud', () => {
    beforeAll(async () => {
      await site.stop();
      await site.start();
      await site.cut();
    });

    it.each(casesFor('hub-offline'))('$title', (one) =>
      run(one, 'hub-offline', hubReadApi(site.run.handler)),
    );
  });
});
