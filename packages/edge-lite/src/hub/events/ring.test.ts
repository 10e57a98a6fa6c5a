import { SelvedgeError, createMetricsRegistry } from '@selvedge/kit';
import { type ManualClock, createManualClock, recordingLogger } from '@selvedge/kit/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TemporaryStore, createTemporaryStore } from '../../store/testing.ts';
import { decodeBody } from '../bodies/index.ts';
import {
  type ScriptedUpstream,
  hubRequest,
  jsonOf,
  nodeCaller,
  scriptedUpstream,
} from '../forward/testing.ts';
import type { Caller, HubResponse } from '../request.ts';
import { type ResourceRequest, parseRequestInfo } from '../request-info/index.ts';
import type { Connectivity, UpstreamRequest } from '../upstream/types.ts';
import { type EventRing, type EventRingOptions, createEventRing } from './ring.ts';

const online: Connectivity = { kind: 'online', sinceMs: 0, server: 'one:6443' };
const offline: Connectivity = { kind: 'offline', sinceMs: 0, reason: 'refused' };
const collection = '/api/v1/namespaces/a/events';
const merge = { 'content-type': 'application/strategic-merge-patch+json' };
const token: Caller = { kind: 'token', token: 't', pod: undefined, user: { username: 'app', groups: [] } };

interface World {
  readonly clock: ManualClock;
  readonly ring: EventRing;
  readonly upstream: ScriptedUpstream;
  readonly log: ReturnType<typeof recordingLogger>;
  readonly metrics: () => string;
  /** The status of an answer; undefined: the connection breaks. */
  status: (request: UpstreamRequest) => number | undefined;
  diskIsFull: boolean;
  readonly lost: number[];
  move(connectivity: Connectivity): void;
  take(method: string, path: string, body: object, caller?: Caller): HubResponse;
}

let store: TemporaryStore;
const running: EventRing[] = [];
beforeEach(async () => {
  store = await createTemporaryStore();
});
afterEach(async () => {
  for (const ring of running.splice(0)) await ring.stop();
  await store[Symbol.asyncDispose]();
});

async function world(options: EventRingOptions = {}, drained = Promise.resolve()): Promise<World> {
  const clock = createManualClock();
  const log = recordingLogger();
  const { runtime } = store.store;
  const metrics = createMetricsRegistry();
  let connectivity = offline;
  let changed: (now: Connectivity) => void = () => undefined;
  let uids = 0;
  const upstream = scriptedUpstream((request) => {
    const status = here.status(request);
    if (status === undefined) throw new SelvedgeError('broken', { code: 'Unavailable' });
    return { status, body: {} };
  });
  const ring = createEventRing(options, {
    runtime: {
      ...runtime,
      put(...row) {
        if (here.diskIsFull) throw new SelvedgeError('full', { code: 'ResourceExhausted' });
        runtime.put(...row);
      },
    },
    upstream: {
      get connectivity() {
        return connectivity;
      },
      onConnectivity(listener) {
        changed = listener;
        return { [Symbol.dispose]: () => undefined };
      },
      send: upstream.send,
    },
    drained: () => drained,
    onRefused: (events) => void here.lost.push(events),
    decodeBody,
    clock,
    random: () => 1,
    newUid: () => `uid-${(uids += 1)}`,
    log,
    metrics,
  });
  const here: World = {
    clock,
    ring,
    upstream,
    log,
    metrics: () => metrics.render(),
    status: () => 201,
    diskIsFull: false,
    lost: [],
    move(next) {
      connectivity = next;
      changed(next);
    },
    take(method, path, body, caller = nodeCaller) {
      const request = hubRequest(method, path, { body, caller, headers: method === 'PATCH' ? merge : {} });
      const about = parseRequestInfo(method, path, request.query) as ResourceRequest;
      return ring.take(request, about);
    },
  };
  await ring.start(new AbortController().signal);
  running.push(ring);
  return here;
}

const event = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name, namespace: 'a' },
  firstTimestamp: '2026-01-01T00:00:00Z',
  count: 1,
});

const sent = ({ upstream }: World): readonly (readonly [string, string, unknown])[] =>
  upstream.requests.map(({ method, path }, i) => [method, path, upstream.bodies()[i]]);

describe('event ring', () => {
  it('answers as the API server would, and sends what it was told once the cloud is back', async () => {
    const here = await world();
    const response = here.take('POST', collection, event('one'));
    expect(response.status).toBe(201);
    expect(await jsonOf(response)).toEqual({
      ...event('one'),
      metadata: { name: 'one', namespace: 'a', uid: 'uid-1', creationTimestamp: '2026-01-01T00:00:00Z' },
    });
    expect(() => here.take('POST', collection, event('one'))).toThrow('events "one" already exists');
    here.take('POST', collection, { ...event(''), metadata: { generateName: 'two-' } });
    here.move(online);
    await here.clock.advance(1_000);
    expect(sent(here)).toEqual([
      ['POST', collection, event('one')],
      [
        'POST',
        collection,
        { ...event(''), metadata: { generateName: 'two-', name: 'two-uid-3', namespace: 'a' } },
      ],
    ]);
    expect(here.ring.size).toBe(0);
  });

  it('counts up what waits and sends it once', async () => {
    const here = await world();
    here.take('POST', collection, event('one'));
    const response = here.take('PATCH', `${collection}/one`, { count: 5, lastTimestamp: 'later' });
    expect(await jsonOf(response)).toMatchObject({ metadata: { name: 'one' }, count: 5 });
    here.take('PATCH', `${collection}/before`, { count: 7 });
    here.take('PATCH', `${collection}/before`, { count: 8, series: { count: 2 } });
    here.move(online);
    await here.clock.advance(1_000);
    expect(sent(here)).toEqual([
      ['POST', collection, { ...event('one'), count: 5, lastTimestamp: 'later' }],
      ['PATCH', `${collection}/before`, { count: 8, series: { count: 2 } }],
    ]);
  });

  it('is limited in its rate, waits for what comes first, and stops when the cloud goes', async () => {
    const gate = Promise.withResolvers<void>();
    const here = await world({ perSecond: 2 }, gate.promise);
    for (const name of ['a', 'b', 'c', 'd']) here.take('POST', collection, event(name));
    here.move(online);
    await here.clock.advance(5_000);
    expect(here.upstream.requests).toHaveLength(0);
    gate.resolve();
    await here.clock.advance(999);
    expect(here.upstream.requests).toHaveLength(2);
    here.move(offline);
    await here.clock.advance(10_000);
    expect(here.upstream.requests).toHaveLength(2);
    here.move(online);
    await here.clock.advance(1_000);
    expect(here.ring.size).toBe(0);
  });

  it('tries again what was not answered, and drops what is refused', async () => {
    const here = await world();
    here.take('POST', collection, event('one'));
    here.take('POST', collection, event('two'));
    const answers = [undefined, 503, 409, 404];
    here.status = () => answers.shift();
    here.move(online);
    await here.clock.advance(11_000);
    expect(sent(here).map(([, , body]) => (body as { metadata: { name: string } }).metadata.name)).toEqual([
      'one',
      'one',
      'one',
      'two',
    ]);
    expect(here.metrics()).toContain('selvedge_hub_offline_events_total{outcome="refused"} 1');
    expect(here.lost).toEqual([1]);
  });

  it('goes on after an error that nobody foresaw, and gives up the event that always fails so', async () => {
    const here = await world();
    here.take('POST', collection, event('odd'));
    here.take('POST', collection, event('two'));
    let failures = 0;
    here.status = () => {
      if (failures === 5) return 201;
      failures += 1;
      throw new SelvedgeError('too large', { code: 'ResourceExhausted' });
    };
    here.move(online);
    await here.clock.advance(1_000 + 2_000 + 4_000 + 8_000 + 1_000);
    expect(failures).toBe(5);
    expect(here.upstream.requests).toHaveLength(6);
    expect(here.ring.size).toBe(0);
    expect(here.metrics()).toContain('selvedge_hub_offline_events_total{outcome="refused"} 1');
    expect(here.metrics()).toContain('selvedge_hub_offline_events_total{outcome="sent"} 1');
    expect(here.log.lines.filter(({ level }) => level === 'warn').map(({ text }) => text)).toEqual([
      'offline event not sent',
      'offline event refused',
    ]);
  });

  it('goes on trying a disk that is full', async () => {
    const here = await world({ saveMs: 1_000 });
    here.diskIsFull = true;
    here.take('POST', collection, event('one'));
    await here.clock.advance(5_000);
    here.diskIsFull = false;
    expect(store.store.runtime.list({ name: 'hub-events' })).toEqual([]);
    await here.clock.advance(1_000);
    expect(store.store.runtime.list({ name: 'hub-events' })).toHaveLength(1);
  });

  it('sends what was counted up while it was on its way', async () => {
    const here = await world();
    here.take('POST', collection, event('one'));
    here.status = ({ method }) => {
      if (method === 'POST') here.take('PATCH', `${collection}/one`, { count: 2 });
      return 201;
    };
    here.move(online);
    await here.clock.advance(1_000);
    expect(sent(here)[1]).toMatchObject(['PATCH', `${collection}/one`, { count: 2 }]);
    expect(here.ring.size).toBe(0);
  });

  it('keeps the newest', async () => {
    const here = await world({ maxEvents: 2 });
    for (const name of ['a', 'b', 'c']) here.take('POST', collection, event(name));
    here.take('POST', collection, event('a'));
    expect(here.ring.size).toBe(2);
    expect(here.metrics()).toContain('selvedge_hub_offline_events_total{outcome="dropped"} 2');
  });

  it('survives a restart, but for what only a token may say', async () => {
    const first = await world();
    for (let i = 0; i < 60; i += 1) first.take('POST', collection, event(`e${i}`));
    first.take('POST', collection, event('app'), token);
    await first.ring.stop();
    await store.reopen();
    const second = await world();
    expect(second.ring.size).toBe(60);
    second.take('POST', collection, event('later'));
    second.move(online);
    await second.clock.advance(10_000);
    expect(second.upstream.requests).toHaveLength(61);
    await second.ring.stop();
    expect(store.store.runtime.list({ name: 'hub-events' })).toEqual([]);
  });

  it('is written in batches', async () => {
    const here = await world({ saveMs: 60_000 });
    const written = (): number => store.store.runtime.list({ name: 'hub-events' }).length;
    here.take('POST', collection, event('one'));
    await here.clock.advance(59_999);
    expect(written()).toBe(0);
    await here.clock.advance(1);
    expect(written()).toBe(1);
  });
});
