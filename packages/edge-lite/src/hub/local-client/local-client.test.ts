import { SelvedgeError, createMetricsRegistry, silentLogger, systemClock } from '@selvedge/kit';
import { type KubeClient, createKubeMetrics, resources } from '@selvedge/kube';
import { describe, expect, it } from 'vitest';
import type { HubHandler, HubRequest } from '../request.ts';
import { createLocalClient } from './local-client.ts';

const caller = { kind: 'node', user: { username: 'system:node:n', groups: ['system:nodes'] } } as const;

function clientOf(handler: HubHandler): KubeClient {
  const metrics = createKubeMetrics(createMetricsRegistry());
  const deps = { handler, clock: systemClock, random: () => 0.5, log: silentLogger, metrics };
  return createLocalClient({ userAgent: 'test', caller }, deps);
}

const { signal } = new AbortController();
const json = (body: object): { status: number; headers: Record<string, string>; body: Uint8Array } => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(JSON.stringify(body)),
});

describe('a client in the process of the hub', () => {
  it('sends what a client over HTTP would send, in the name of the node', async () => {
    const asked: HubRequest[] = [];
    const client = clientOf(async (request) => {
      asked.push(request);
      return json({ metadata: { name: 'a' } });
    });
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', namespace: 'b' } } as const;
    await client.list(resources.pods, { namespace: 'b', labelSelector: 'x in (y)', signal });
    await client.create(resources.pods, pod, { fieldManager: 'me', signal });
    const [list, create] = asked;
    expect(list).toMatchObject({ method: 'GET', path: '/api/v1/namespaces/b/pods', body: undefined, caller });
    expect(list?.query.get('labelSelector')).toBe('x in (y)');
    expect(list?.headers['accept-encoding']).toBe('identity');
    expect(create).toMatchObject({ method: 'POST', path: '/api/v1/namespaces/b/pods' });
    expect(create?.query.get('fieldManager')).toBe('me');
    expect(JSON.parse(Buffer.from(create?.body ?? []).toString())).toEqual(pod);
  });

  it('rejects as a client over HTTP does, at once', async () => {
    const codes = ['NotFound', 'Forbidden', 'Conflict', 'AlreadyExists', 'Gone', 'Unavailable'] as const;
    for (const code of codes) {
      const client = clientOf(async () => {
        throw new SelvedgeError('no', { code });
      });
      await expect(
        client.get(resources.pods, { name: 'a', namespace: 'b' }, { signal }),
      ).rejects.toMatchObject({
        name: 'SelvedgeError',
        code,
      });
    }
  });

  it('follows a watch, and lets go of it when the watcher goes', async () => {
    const gone = Promise.withResolvers<void>();
    async function* events(stop: AbortSignal): AsyncGenerator<Uint8Array> {
      try {
        for (const name of ['a', 'b']) {
          const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name, resourceVersion: '1' } };
          yield Buffer.from(`${JSON.stringify({ type: 'ADDED', object })}\n`);
        }
        await new Promise((_, reject) => {
          stop.addEventListener('abort', () => reject(stop.reason));
        });
      } finally {
        gone.resolve();
      }
    }
    const client = clientOf(async (request) => ({ status: 200, headers: {}, body: events(request.signal) }));
    const controller = new AbortController();
    const watch = await client.watch(resources.pods, { resourceVersion: '1', signal: controller.signal });
    const names: (string | undefined)[] = [];
    const follow = async (): Promise<void> => {
      for await (const batch of watch) {
        names.push(
          ...batch.map((event) => (event.type === 'BOOKMARK' ? undefined : event.object.metadata.name)),
        );
        if (names.length === 2) controller.abort();
      }
    };
    await follow().catch((error: unknown) => controller.signal.aborted || Promise.reject(error));
    await gone.promise;
    expect(names).toEqual(['a', 'b']);
  });

  it('says so when a watch breaks off', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('{"type":"ADD');
      throw new SelvedgeError('broke', { code: 'Unavailable' });
    }
    const client = clientOf(async () => ({ status: 200, headers: {}, body: broken() }));
    const watch = await client.watch(resources.pods, { resourceVersion: '1', signal });
    const follow = async (): Promise<void> => {
      for await (const event of watch) expect(event).toBeUndefined();
    };
    await expect(follow()).rejects.toMatchObject({ code: 'Unavailable' });
  });
});
