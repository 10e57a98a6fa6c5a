import { once } from 'node:events';
import { SelvedgeError } from '@selvedge/kit';
import { describe, expect, it } from 'vitest';
import type { Decision, Presented } from '../access/types.ts';
import type { Caller, HubHandler } from '../request.ts';
import {
  authenticateByName,
  type KeyPair,
  ask,
  connectTo,
  createTestCa,
  createTestHub,
  openHttp2,
} from './testing.ts';

const protocols = ['HTTP/1.1', 'HTTP/2'] as const;
const asToken = { authorization: 'Bearer token-of-ann' };
const parsed = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;

describe.each(protocols)('%s', (protocol) => {
  const send = ask[protocol];

  it('hands a request over as it was sent, with its user', async () => {
    await using hub = await createTestHub();
    const { status, text } = await send(hub, '/api/v1/pods/a%20b?labelSelector=a%3Db&x=1', {
      method: 'POST',
      headers: { ...asToken, 'content-type': 'application/json', 'x-thing': '1' },
      body: '{"a":1}',
    });
    expect(status).toBe(200);
    expect(parsed(text)).toMatchObject({
      method: 'POST',
      path: '/api/v1/pods/a%20b',
      query: 'labelSelector=a%3Db&x=1',
      body: '{"a":1}',
      user: 'ann',
    });
  });

  it('takes nothing from headers that a front proxy would say, and passes no credentials on', async () => {
    await using hub = await createTestHub();
    const claims = {
      'x-remote-user': 'admin',
      'x-remote-group': 'system:masters',
      'x-remote-extra-a': 'b',
      'x-forwarded-for': '10.0.0.1',
      forwarded: 'for=10.0.0.1',
    };
    const { text } = await send(hub, '/api/v1/pods', {
      headers: { ...asToken, ...claims, 'impersonate-user': 'bob', 'x-kept': 'yes' },
    });
    const { headers, user } = parsed(text);
    expect(user).toBe('ann');
    expect(Object.keys(headers as object).toSorted()).toEqual(
      expect.arrayContaining(['impersonate-user', 'x-kept']),
    );
    for (const name of [...Object.keys(claims), 'authorization', 'host', 'connection', ':path']) {
      expect(headers).not.toHaveProperty(name);
    }
  });

  it.each([
    ['a certificate of the cluster', { status: 200, user: 'system:node:n' }],
    ['one that the clock says is of the future', { status: 200, user: 'system:node:n' }],
    ['one that has ended', { status: 401, user: undefined }],
    ['one of another CA', { status: 401, user: undefined }],
    ['one of another CA that is of the future', { status: 401, user: undefined }],
    ['none', { status: 401, user: undefined }],
  ])('a client with %s is answered %o', async (what, { status, user }) => {
    await using hub = await createTestHub();
    const ca = what.includes('another') ? await createTestCa() : hub.ca;
    const hour = 3_600_000;
    const validity = { fromMs: -2 * hour, toMs: hour };
    if (what.includes('future')) validity.fromMs = hour / 2;
    if (what.includes('ended')) validity.toMs = -hour;
    const issued = await ca.issue('system:node:n', validity);
    const client: { client?: KeyPair } = what === 'none' ? {} : { client: issued };
    const answered = await send(hub, '/api/v1/pods', client);
    expect(answered.status).toBe(status);
    expect(parsed(answered.text)['user']).toBe(user);
  });

  it.each([
    ['the CA of the cluster', true],
    ['another CA', false],
  ])(
    'a certificate of %s that has ended is left to who knows whether there is a cloud: %s',
    async (_ca, left) => {
      const shown: boolean[] = [];
      const authenticate = async ({ certificate }: Presented): Promise<Caller> => {
        shown.push(certificate !== undefined);
        return { kind: 'node', user: { username: 'n', groups: [] } };
      };
      const authorize = async (): Promise<Decision> => ({ allowed: false, reason: '' });
      await using hub = await createTestHub({ access: { authenticate, authorize } });
      const ca = left ? hub.ca : await createTestCa();
      const hour = 3_600_000;
      const client = await ca.issue('system:node:n', { fromMs: -2 * hour, toMs: -hour });
      await send(hub, '/api/v1/pods', { client });
      expect(shown).toEqual([left]);
    },
  );

  it.each([
    ['GET', '/api//v1/pods', 400],
    ['GET', '/api/v1/../v1/pods', 400],
    ['GET', '/api/v1/%2e%2e/pods', 400],
    ['GET', '/api/v1/namespaces/a%2fb/pods', 400],
    ['GET', '/api/v1/pods/%zz', 400],
    ['OPTIONS', '/api/v1/pods', 405],
    ['TRACE', '/api/v1/pods', 405],
    ['GET', '/selvedge/else', 403],
  ])('%s %s is answered %i', async (method, path, status) => {
    await using hub = await createTestHub();
    const answered = await send(hub, path, { method, headers: asToken });
    expect(answered.status).toBe(status);
    expect(parsed(answered.text)).toMatchObject({ kind: 'Status', code: status });
  });

  it('answers HEAD with the headers of GET', async () => {
    await using hub = await createTestHub();
    const answered = await send(hub, '/version', { method: 'HEAD', headers: asToken });
    expect(answered).toMatchObject({ status: 200, text: '' });
    expect(Number(answered.headers['content-length'])).toBeGreaterThan(0);
  });

  it('takes bodies of 3 MiB and refuses larger ones, announced or not', async () => {
    const lengthOf: HubHandler = async ({ body }) => ({
      status: 200,
      headers: {},
      body: Buffer.from(String(body?.byteLength)),
    });
    await using hub = await createTestHub({ handler: lengthOf });
    const limit = 3 * 1024 * 1024;
    const post = (headers: Record<string, string>, bytes: number): ReturnType<typeof send> =>
      send(hub, '/api/v1/pods', {
        method: 'POST',
        headers: { ...asToken, ...headers },
        body: Buffer.alloc(bytes),
      });
    expect((await post({}, limit)).text).toBe(String(limit));
    const refused = await post(protocol === 'HTTP/2' ? {} : { 'transfer-encoding': 'chunked' }, limit + 1);
    expect(refused.status).toBe(413);
    expect(parsed(refused.text)).toMatchObject({ reason: 'RequestEntityTooLarge' });
  });

  it('streams an answer and lets go of its source when the client goes', async () => {
    const gone = Promise.withResolvers<void>();
    async function* events(signal: AbortSignal): AsyncGenerator<Uint8Array> {
      try {
        yield Buffer.from('first\n');
        await new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        });
      } finally {
        gone.resolve();
      }
    }
    const handler: HubHandler = async ({ signal }) => ({ status: 200, headers: {}, body: events(signal) });
    await using hub = await createTestHub({ handler });
    if (protocol === 'HTTP/2') {
      const session = openHttp2(hub);
      const stream = session.request({ ':path': '/api/v1/pods?watch=1', ...asToken });
      const [chunk] = (await once(stream, 'data')) as [Buffer];
      if (chunk.toString() === 'first\n') stream.close();
      await gone.promise;
      session.destroy();
    } else {
      const socket = await connectTo(hub);
      socket.write(
        `GET /api/v1/pods?watch=1 HTTP/1.1\r\nhost: x\r\nauthorization: ${asToken.authorization}\r\n\r\n`,
      );
      let text = '';
      for await (const chunk of socket) if ((text += String(chunk)).includes('first\n')) break;
      await gone.promise;
    }
  });

  it('reads an answer no faster than the client takes it', async () => {
    let made = 0;
    const chunk = Buffer.alloc(64 * 1024);
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        made += 1;
        yield chunk;
      }
    }
    await using hub = await createTestHub({
      handler: async () => ({ status: 200, headers: {}, body: endless() }),
    });
    const session = openHttp2(hub);
    const socket = await connectTo(hub);
    if (protocol === 'HTTP/2') {
      session.request({ ':path': '/api/v1/pods?watch=1', ...asToken }).pause();
    } else {
      socket.pause().write(`GET /x HTTP/1.1\r\nhost: x\r\nauthorization: ${asToken.authorization}\r\n\r\n`);
    }
    let before = -1;
    await expect
      .poll(
        () => {
          const still = made > 0 && made === before;
          before = made;
          return still;
        },
        { interval: 200 },
      )
      .toBe(true);
    expect(made).toBeLessThan(400);
    session.destroy();
    socket.destroy();
  });

  it('says what went wrong as a Status, and breaks off what had begun', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half');
      throw new SelvedgeError('broke', { code: 'Unavailable' });
    }
    const handler: HubHandler = async ({ path }) => {
      if (path === '/api/v1/nodes') throw new SelvedgeError('not here', { code: 'NotFound' });
      if (path === '/api/v1/pods') throw new TypeError('a mistake');
      return { status: 200, headers: {}, body: broken() };
    };
    await using hub = await createTestHub({ handler });
    const missing = await send(hub, '/api/v1/nodes', { headers: asToken });
    expect(parsed(missing.text)).toMatchObject({ code: 404, message: 'not here' });
    expect((await send(hub, '/api/v1/pods', { headers: asToken })).status).toBe(500);
    await expect(send(hub, '/api/v1/secrets', { headers: asToken })).rejects.toThrow(/./);
  });

  it('shows its own pages to the node, and to others who may read metrics', async () => {
    await using hub = await createTestHub({ status: () => ({ node: 'n' }) });
    const client = await hub.ca.issue('system:node:n');
    const status = await send(hub, '/selvedge/status', { client });
    expect(parsed(status.text)).toMatchObject({
      node: 'n',
      endpoint: { port: hub.endpoint.port, relayed: [] },
    });
    const metrics = await send(hub, '/selvedge/metrics', { client });
    expect(metrics.text).toContain('selvedge_hub_connections 1');
    expect((await send(hub, '/selvedge/status', { headers: asToken })).status).toBe(403);
    await using open = await createTestHub({
      access: {
        authenticate: authenticateByName,
        authorize: async (user, attributes) => ({
          allowed:
            user.username === 'ann' && attributes.kind === 'nonResource' && attributes.path === '/metrics',
          reason: '',
        }),
      },
    });
    expect((await send(open, '/selvedge/metrics', { headers: asToken })).status).toBe(200);
  });
});
