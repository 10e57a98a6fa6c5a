import { ok } from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { systemClock } from '@selvedge/kit';
import { type KubeClient, resources } from '@selvedge/kube';
import { fc } from '@fast-check/vitest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../bed/wait.ts';
import { type HubCluster, namespace, nodeName, startHubCluster } from './hub-cluster.ts';
import { type FuzzedRequest, reads, writes } from './hub-fuzz-requests.ts';
import { type HubProcess, createHubProcess } from './hub-process.ts';
import { startInformer } from './informer.ts';

const { signal } = new AbortController();

interface Answer {
  readonly status: number;
  readonly body: string;
}
interface Target extends Disposable {
  send(request: FuzzedRequest): Promise<Answer>;
}

interface TargetOptions {
  readonly url: string;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** Sends paths as they are. */
function createTarget({ url, ca, certificate, key }: TargetOptions): Target {
  const { hostname, port } = new URL(url);
  const agent = new Agent({ keepAlive: true, ca, cert: certificate, key });
  return {
    async send({ method, path, headers, body }) {
      const timeout = AbortSignal.timeout(30_000);
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const options = {
        hostname,
        port,
        agent,
        method,
        path,
        signal: timeout,
        headers: { ...headers, ...length },
      };
      const sent = httpsRequest(options);
      if (body === undefined && method !== 'GET') sent.flushHeaders();
      else sent.end(body);
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      return { status: response.statusCode ?? 0, body: (await buffer(response)).toString('utf8') };
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

export interface FuzzOptions {
  /** Of each property. */
  readonly runs: number;
  readonly resets: number;
}

/** Everything that the node may read: what it may not is not looked at by either side. */
async function letNodeDoAll(admin: KubeClient): Promise<void> {
  const rbac = 'rbac.authorization.k8s.io';
  const roleRef = { apiGroup: rbac, kind: 'ClusterRole', name: 'cluster-admin' };
  const subjects = [{ kind: 'User', apiGroup: rbac, name: `system:node:${nodeName}` }];
  await admin.create(
    resources.clusterRoleBindings,
    { metadata: { name: 'fuzz' }, roleRef, subjects },
    { signal },
  );
}

/** What an answer of the hub may be while the cloud is away. */
const offlineStatuses = new Set([200, 400, 403, 404, 405, 406, 409, 410, 413, 415, 422, 503]);

export function fuzzHub({ runs, resets }: FuzzOptions): void {
  const stack = new AsyncDisposableStack();
  let cluster: HubCluster;
  let hub: HubProcess;
  let server: Target;
  let target: Target;

  const createMap = (name: string, labels: Readonly<Record<string, string>> = {}): Promise<unknown> =>
    cluster.admin.create(resources.configMaps, { metadata: { namespace, name, labels } }, { signal });

  beforeAll(async () => {
    cluster = stack.use(await startHubCluster());
    await letNodeDoAll(cluster.admin);
    await createMap('a', { app: 'web' });
    await createMap('b');
    hub = stack.use(await createHubProcess(cluster));
    await hub.start();
    const { ca, port } = cluster.controlPlane;
    server = stack.use(createTarget({ ...hub.kubelet, url: `https://127.0.0.1:${port}`, ca }));
    target = stack.use(createTarget({ ...hub.kubelet, url: hub.url, ca: hub.ca }));
  });
  afterAll(() => stack.disposeAsync());

  /** It goes on, and nothing that it did not expect has happened to it. */
  const expectSound = async (): Promise<void> => {
    expect((await hub.status()).connectivity.kind).toBeDefined();
    const bad = hub.run.lines.filter(({ level, text }) => level === 'error' || text === 'request failed');
    expect(bad).toEqual([]);
    expect(hub.run.output).toEqual([]);
  };

  /** What both refuse may be refused for another of its faults: `read-api.ts` looks at one at a time. The
   * API server answers 500 to some of it. */
  const agree = async (request: FuzzedRequest): Promise<void> => {
    const expected = await server.send(request);
    const given = await target.send(request);
    const refused = expected.status >= 400 && given.status >= 400 && given.status < 500;
    // The hub writes single objects as YAML, not lists.
    const unwritten = given.status === 406 && request.headers['accept'] === 'application/yaml';
    // Dot segments, encoded slashes and what is no UTF-8 are refused wherever they would lead to.
    const odd = given.status === 400 && given.body.includes('"message":"path ');
    const same = odd || unwritten || given.status === expected.status || refused;
    ok(same, `${given.status} instead of ${expected.status}: ${given.body.slice(0, 1_000)}`);
  };
  const standsFirm = async (request: FuzzedRequest): Promise<void> => {
    const { status, body } = await target.send(request);
    ok(offlineStatuses.has(status), `${status}: ${body.slice(0, 1_000)}`);
  };
  const check = (
    of: fc.Arbitrary<FuzzedRequest>,
    holds: (request: FuzzedRequest) => Promise<void>,
  ): Promise<void> => fc.assert(fc.asyncProperty(of, holds), { numRuns: runs });

  describe('while the cloud is there', () => {
    test('any read ends with the status that the API server gives', async () => {
      await check(reads, agree);
      await expectSound();
    });

    test('any write ends with the status that the API server gives', async () => {
      await check(writes, agree);
      await expectSound();
    });

    test.each([1, 2])(
      'a body of %i MiB ends with the status that the API server gives',
      async (mebibytes) => {
        const data = { text: 'x'.repeat(mebibytes * 2 ** 20) };
        const body = JSON.stringify({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'huge' },
          data,
        });
        const headers = { 'content-type': 'application/json' };
        await agree({
          method: 'POST',
          path: `/api/v1/namespaces/${namespace}/configmaps?dryRun=All`,
          headers,
          body,
        });
        await expectSound();
      },
    );

    test('a body that is announced as too large is refused before it comes', async () => {
      const headers = { 'content-type': 'application/json', 'content-length': String(4 * 2 ** 20) };
      const path = `/api/v1/namespaces/${namespace}/configmaps`;
      expect((await target.send({ method: 'POST', path, headers, body: undefined })).status).toBe(413);
    });

    test('connections that break in the middle of anything cost no change', async () => {
      const kubeconfig = await hub.kubeconfig('fuzz', hub.kubelet);
      await using informer = await startInformer(kubeconfig, [
        '--resource=configmaps',
        `--namespace=${namespace}`,
      ]);
      const at = { namespace, name: 'b' };
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 20_000 }), fc.nat(), async (bytes, value) => {
          hub.link.resetAfter(bytes);
          const body = { data: { value: String(value), text: 'x'.repeat(5_000) } };
          const patch = { type: 'application/merge-patch+json', body } as const;
          await cluster.admin.patch(resources.configMaps, at, { patch, signal });
          await informer.shows(`${namespace}/b`, (object) =>
            JSON.stringify(object).includes(`"value":"${value}"`),
          );
        }),
        { numRuns: resets },
      );
      expect(informer.lines.filter(({ type }) => type === 'relist')).toEqual([]);
      await expectSound();
    });
  });

  describe('while the cloud is away', () => {
    beforeAll(async () => {
      await waitFor(
        { what: 'an online hub' },
        systemClock,
        async () => (await hub.status()).connectivity.kind === 'online',
      );
      await hub.cut();
    });

    test('any read has a proper end', async () => {
      await check(reads, standsFirm);
      await expectSound();
    });

    test('any write has a proper end', async () => {
      await check(writes, standsFirm);
      await expectSound();
    });
  });
}
