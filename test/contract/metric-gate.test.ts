import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMetricsRegistry } from '@selvedge/kit';
import { createManualClock, recordingLogger } from '@selvedge/kit/testing';
import {
  type MetricGate,
  type MetricGateOptions,
  type MetricReading,
  type MetricWish,
  createMetricGate,
  createMetricGateMetrics,
} from '@selvedge/unit-controller';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../bed/pki/certificate.ts';
import {
  type Handler,
  type Protocol,
  type TestServer,
  json,
  newTestAuthority,
  startTestServer,
} from './http-server.ts';

let authority: Authority;
let folder: string;
const ended: (() => Promise<void>)[] = [];
beforeAll(async () => {
  authority = await newTestAuthority();
  folder = await mkdtemp(join(tmpdir(), 'metric-gate-'));
  await writeFile(join(folder, 'ca.crt'), authority.keyPair.certificate);
  await writeFile(join(folder, 'token'), 'of-the-config\n');
});
afterEach(async () => {
  for (const end of ended.splice(0).toReversed()) await end();
});
afterAll(() => rm(folder, { recursive: true }));

async function serverOf(protocol: Protocol, handler: Handler): Promise<TestServer> {
  const server = await startTestServer({ protocol, authority });
  server.handler = handler;
  ended.push(async () => server[Symbol.asyncDispose]());
  return server;
}

function gateOf(options: Partial<MetricGateOptions>) {
  const clock = createManualClock();
  const told: string[] = [];
  let wake = (): void => undefined;
  const onReading = (app: string): void => {
    told.push(app);
    wake();
  };
  const registry = createMetricsRegistry();
  const metrics = createMetricGateMetrics(registry);
  const gate: MetricGate = createMetricGate(
    { userAgent: 'test/1', servers: [], ...options },
    { clock, log: recordingLogger(), metrics, onReading },
  );
  ended.push(() => gate.stop());
  /** What is read once there is something new. */
  const answer = async (wish: MetricWish): Promise<MetricReading | undefined> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    gate.read(wish);
    await promise;
    return gate.read(wish);
  };
  return { gate, clock, told, answer, registry };
}

const wishOf = (url: string, field = '/value'): MetricWish => ({
  app: 'shops/till',
  uid: 'one',
  revision: 2,
  unit: { name: 'shop-1', labels: { region: 'a&b=c/../d' } },
  metric: { url, field, atLeast: '1' },
});

const number = (text: string): MetricReading => ({ kind: 'number', text });
const unknown = (why: string) => ({ kind: 'unknown', why: expect.stringContaining(why) });

describe('a server of metrics', { timeout: 60_000 }, () => {
  it.each<Protocol>(['plain', 'http/1.1', 'h2'])('is asked over %s, and tells a number', async (protocol) => {
    const seen: unknown[] = [];
    const server = await serverOf(protocol, (request, response) => {
      const { authorization, cookie } = request.headers;
      seen.push([request.method, request.url, authorization, cookie]);
      json(response, { value: 0.5 });
    });
    const { gate, told, answer } = gateOf({ servers: [{ url: server.url, caFile: join(folder, 'ca.crt') }] });
    const wish = wishOf(`${server.url}/q?unit={{unit.name}}&region={{ unit.labels.region }}#x`);
    expect(gate.read(wish)).toBe(undefined);
    expect(await answer(wish)).toEqual(number('0.5'));
    expect(told).toEqual(['shops/till']);
    expect(seen).toEqual([['GET', '/q?unit=shop-1&region=a%26b%3Dc%2F..%2Fd', undefined, undefined]]);
  });

  it('gets the token of the config, and nobody else does', async () => {
    const tokens: unknown[] = [];
    const handler: Handler = (request, response) => {
      tokens.push(request.headers.authorization);
      json(response, { value: '7' });
    };
    const [own, other] = [await serverOf('http/1.1', handler), await serverOf('http/1.1', handler)];
    const caFile = join(folder, 'ca.crt');
    const { answer } = gateOf({
      servers: [
        { url: own.url, caFile, bearerTokenFile: join(folder, 'token') },
        { url: other.url, caFile },
      ],
    });
    expect(await answer(wishOf(`${own.url}/`))).toEqual(number('7'));
    expect(await answer(wishOf(`${other.url}/`))).toEqual(number('7'));
    expect(tokens).toEqual(['Bearer of-the-config', undefined]);
  });

  it('is not asked without the credentials of the config, and nobody is told where they are', async () => {
    const server = await serverOf('http/1.1', (_, response) => json(response, { value: 1 }));
    const bearerTokenFile = join(folder, 'gone');
    const { answer } = gateOf({ servers: [{ url: server.url, bearerTokenFile }] });
    expect(await answer(wishOf(`${server.url}/`))).toEqual({
      kind: 'unknown',
      why: 'cannot read the credentials',
    });
    expect(server.connections).toBe(0);
  });

  it('is not believed with a certificate of another authority', async () => {
    let requests = 0;
    const server = await serverOf('http/1.1', (_, response) => {
      requests += 1;
      json(response, { value: 1 });
    });
    const { answer } = gateOf({ servers: [{ url: server.url }] });
    expect(await answer(wishOf(`${server.url}/`))).toEqual(unknown('certificate'));
    expect(requests).toBe(0);
  });

  it.each([301, 302, 303, 307, 308])('is not followed elsewhere by a %i', async (status) => {
    let requests = 0;
    const elsewhere = await serverOf('plain', (_, response) => {
      requests += 1;
      json(response, { value: 1 });
    });
    const server = await serverOf('plain', (request, response) => {
      const location = request.url === '/away' ? `${elsewhere.url}/` : '/here';
      response.writeHead(status, { location, 'content-type': 'application/json' });
      response.end('{"value": 1}');
    });
    const { answer } = gateOf({ servers: [{ url: server.url }, { url: elsewhere.url }] });
    for (const path of ['/away', '/stay']) {
      expect(await answer(wishOf(`${server.url}${path}`))).toEqual(
        unknown(`answered ${status}, and redirects`),
      );
    }
    expect([requests, elsewhere.connections]).toEqual([0, 0]);
  });

  it.each([
    ['an error', (response) => json(response, { value: 1 }, 500), 'answered 500'],
    ['no content', (response) => response.writeHead(204), 'answered 204'],
    ['no JSON', (response) => response.end('value 1'), 'not JSON'],
    ['nothing there', (response) => json(response, { other: 1 }), 'nothing at /value'],
    [
      'too much',
      (response) => json(response, { value: 1, more: 'x'.repeat(70_000) }),
      'larger than 65536 bytes',
    ],
  ] as [string, (response: Parameters<Handler>[1]) => void, string][])(
    'that answers %s tells no number, and why',
    async (_, respond, why) => {
      const server = await serverOf('plain', (_request, response) => {
        respond(response);
        response.end();
      });
      const { answer } = gateOf({ servers: [{ url: server.url }] });
      expect(await answer(wishOf(`${server.url}/`))).toEqual(unknown(why));
    },
  );

  it('that sends without end is read up to the cap only', async () => {
    const stopped = Promise.withResolvers<void>();
    let sent = 0;
    const server = await serverOf('plain', (_, response) => {
      const more = (): void => {
        sent += 16_384;
        response.write('x'.repeat(16_384), () => setImmediate(more));
      };
      response.on('close', () => stopped.resolve());
      more();
    });
    const { answer } = gateOf({ servers: [{ url: server.url }] });
    expect(await answer(wishOf(`${server.url}/`))).toEqual(unknown('larger than'));
    await stopped.promise;
    expect(sent).toBeLessThan(64 * 1_048_576);
  });

  it.each([
    ['says nothing', () => undefined],
    ['stops in the middle', (response) => response.write('{"value":')],
  ] as [string, (response: Parameters<Handler>[1]) => void][])(
    'that %s is given up after its time',
    async (_, respond) => {
      const asked = Promise.withResolvers<void>();
      const server = await serverOf('plain', (_request, response) => {
        respond(response);
        asked.resolve();
      });
      const { clock, answer } = gateOf({ servers: [{ url: server.url }] });
      const answered = answer(wishOf(`${server.url}/`));
      await asked.promise;
      await clock.advance(5_000);
      expect(await answered).toEqual(unknown('took longer than 5000 ms'));
    },
  );

  it('that is not there is unknown', async () => {
    const server = await startTestServer({ protocol: 'plain', authority });
    await server[Symbol.asyncDispose]();
    const { answer } = gateOf({ servers: [{ url: server.url }] });
    expect(await answer(wishOf(`${server.url}/`))).toEqual(unknown('cannot connect'));
  });
});

describe('the gate', { timeout: 60_000 }, () => {
  it('asks nobody whom the config does not allow, and says so', async () => {
    const server = await serverOf('plain', (_, response) => json(response, { value: 1 }));
    const { host } = new URL(server.url);
    const { gate, told } = gateOf({ servers: [{ url: `${server.url}/api/` }] });
    for (const url of [
      `${server.url}/other`,
      `${server.url}/api/../other`,
      `http://x@${host}/api/`,
      `http://${host}@127.0.0.2/api/`,
      'http://169.254.169.254/latest/meta-data',
      'https://{{unit.name}}.evil.test/',
    ]) {
      expect(gate.read(wishOf(url))).toEqual(unknown('metricGate.servers'));
    }
    expect(gate.read(wishOf(`${server.url}/api/{{unit.labels.shelf}}`))).toEqual(
      unknown('the unit shop-1 has no label shelf'),
    );
    expect(gate.read(wishOf('http://a b/'))).toEqual(unknown('no URL'));
    expect([told, server.connections]).toEqual([[], 0]);
  });

  it('asks once at a time, again when an answer is old, and holds the last number over a gap', async () => {
    let requests = 0;
    let status = 200;
    const server = await serverOf('plain', (_, response) => {
      requests += 1;
      json(response, { value: requests }, status);
    });
    const { gate, clock, told, answer, registry } = gateOf({ servers: [{ url: server.url }] });
    const wish = wishOf(`${server.url}/`);
    gate.read(wish);
    expect(await answer(wish)).toEqual(number('1'));
    await clock.advance(19_999);
    gate.read(wish);
    await clock.advance(1);
    expect(await answer(wish)).toEqual(number('2'));
    status = 503;
    await clock.advance(20_000);
    gate.read(wish);
    // The number of before still counts, so nobody is told.
    const counted = 'selvedge_units_metric_answers_total{outcome="unknown"} 1';
    await expect.poll(() => registry.render(), { timeout: 60_000 }).toContain(counted);
    expect(gate.read(wish)).toEqual(number('2'));
    expect(told).toHaveLength(2);
    await clock.advance(100_000);
    expect(gate.read(wish)).toEqual(unknown('answered 503'));
  });

  it.each([
    ['revision', { revision: 3 }],
    ['UnitApp of the same name', { uid: 'another' }],
  ])('takes an answer about one for none about another %s', async (_what, other) => {
    let value = 1;
    const server = await serverOf('plain', (_, response) => json(response, { value }));
    const { gate, answer } = gateOf({ servers: [{ url: server.url }] });
    const wish = wishOf(`${server.url}/`);
    expect(await answer(wish)).toEqual(number('1'));
    value = 2;
    const next = { ...wish, ...other };
    expect(gate.read(next)).toBe(undefined);
    expect(await answer(next)).toEqual(number('2'));
    expect(gate.read(wish)).toEqual(number('1'));
  });

  it('asks one server so many questions at a time, and does not keep another waiting', async () => {
    const held: (() => void)[] = [];
    const slow = await serverOf('plain', (_, response) => held.push(() => json(response, { value: 1 })));
    const quick = await serverOf('plain', (_, response) => json(response, { value: 2 }));
    const { gate, answer } = gateOf({ servers: [{ url: slow.url }, { url: quick.url }], maxParallel: 3 });
    for (let unit = 0; unit < 10; unit += 1) gate.read(wishOf(`${slow.url}/${unit}`));
    await expect.poll(() => held.length, { timeout: 60_000 }).toBe(3);
    expect(await answer(wishOf(`${quick.url}/`))).toEqual(number('2'));
    expect(held).toHaveLength(3);
    for (let round = 0; round < 10; round += 1) {
      await expect.poll(() => held.length, { timeout: 60_000 }).toBeGreaterThan(0);
      held.shift()?.();
    }
  });

  it('remembers so many answers', async () => {
    const server = await serverOf('plain', (_, response) => json(response, { value: 1 }));
    const { gate, answer } = gateOf({ servers: [{ url: server.url }], maxAnswers: 2 });
    for (const unit of [1, 2, 3]) await answer(wishOf(`${server.url}/${unit}`));
    expect(gate.read(wishOf(`${server.url}/3`))).toEqual(number('1'));
    expect(gate.read(wishOf(`${server.url}/1`))).toBe(undefined);
  });

  it('stops with questions under way', async () => {
    const asked = Promise.withResolvers<void>();
    const server = await serverOf('plain', () => asked.resolve());
    const { gate, told } = gateOf({ servers: [{ url: server.url }] });
    gate.read(wishOf(`${server.url}/`));
    await asked.promise;
    await gate.stop();
    expect(told).toEqual([]);
    expect(server.sockets).toBeLessThanOrEqual(1);
  });
});
