import { SelvedgeError, silentLogger } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Attributes, Decision } from '../access/types.ts';
import { parseRequestInfo } from '../request-info/index.ts';
import type { Caller, HubRequest } from '../request.ts';
import type { Connectivity } from '../upstream/types.ts';
import { type EventRights, createEventRights } from './rights.ts';

const clock = createManualClock();
const user = { username: 'proxy', groups: ['system:authenticated'] };
const proxy: Caller = { kind: 'configured', user, client: 'proxy' };
const pod: Caller = {
  kind: 'token',
  user: { username: 'controller', groups: [] },
  token: 't',
  pod: { namespace: 'shop', name: 'p', uid: 'u' },
};

/** What the API server says, and what it was asked; offline what it said. */
let allowed: Set<string>;
let asked: string[];
let known: Map<string, Decision>;
let connectivity: Connectivity;
let rights: EventRights;

const go = (kind: 'offline' | 'online'): void => {
  connectivity =
    kind === 'online' ? { kind, sinceMs: 0, server: '' } : { kind, sinceMs: 0, reason: 'refused' };
};

beforeEach(() => {
  allowed = new Set();
  asked = [];
  known = new Map();
  go('online');
  rights = createEventRights(
    {},
    {
      clock,
      log: silentLogger,
      upstream: {
        get connectivity() {
          return connectivity;
        },
      },
      access: {
        async authorize({ username }, attributes: Attributes) {
          if (attributes.kind === 'nonResource') throw new TypeError('no event');
          const { verb, group, namespace, name } = attributes;
          const question = `${username} ${verb} ${group}/events${name} ${namespace}`.trim();
          if (connectivity.kind === 'online') {
            asked.push(question);
            known.set(question, { allowed: allowed.has(question), reason: question });
          }
          const decision = known.get(question);
          if (decision === undefined) throw new SelvedgeError('nobody asked', { code: 'Unavailable' });
          return decision;
        },
      },
    },
  );
});
afterEach(() => rights.stop());

const requestOf = (caller: Caller, method: string, url: string, headers = {}): HubRequest => {
  const [path = '', query = ''] = url.split('?');
  const signal = new AbortController().signal;
  return { method, path, query: new URLSearchParams(query), headers, body: undefined, caller, signal };
};

/** The request passes with a status. */
async function passes(request: HubRequest, status = 200): Promise<void> {
  await rights.noticing(async () => ({ status, headers: {}, body: Buffer.alloc(0) }))(request);
  await clock.advance(0);
}

const watching = (caller: Caller): HubRequest => requestOf(caller, 'GET', '/api/v1/services?watch=1');
const making = (caller: Caller, namespace = 'default'): HubRequest =>
  requestOf(caller, 'POST', `/apis/events.k8s.io/v1/namespaces/${namespace}/events`);
const changing = (caller: Caller, namespace: string): HubRequest =>
  requestOf(caller, 'PATCH', `/api/v1/namespaces/${namespace}/events/one`);

function check(request: HubRequest): Promise<void> {
  const info = parseRequestInfo(request.method, request.path, request.query);
  if (info.kind === 'nonResource') throw new TypeError('no event');
  return rights.check(request, info);
}

const everywhere = [
  'proxy create /events',
  'proxy patch /events',
  'proxy create events.k8s.io/events',
  'proxy patch events.k8s.io/events',
];

describe('who may make events in all namespaces', () => {
  beforeEach(() => {
    for (const question of everywhere) allowed.add(question);
  });

  it('is asked when somebody watches something, once a day, and counts offline', async () => {
    await passes(watching(proxy));
    await passes(watching(proxy));
    await clock.advance(24 * 3_600_000 - 1);
    await passes(watching(proxy));
    expect(asked).toEqual(everywhere);
    go('offline');
    await expect(check(making(proxy))).resolves.toBeUndefined();
    await expect(check(changing(proxy, 'any'))).resolves.toBeUndefined();
    go('online');
    await clock.advance(1);
    await passes(watching(proxy));
    expect(asked).toHaveLength(8);
  });

  it('is not known of who has only read', async () => {
    await passes(requestOf(proxy, 'GET', '/api/v1/services'));
    go('offline');
    await passes(watching(proxy));
    await expect(check(making(proxy))).rejects.toMatchObject({ code: 'Unavailable' });
    expect(asked).toEqual([]);
  });

  it('is not asked of the node, of who was refused, nor of who speaks for somebody else', async () => {
    await passes(watching({ kind: 'node', user }));
    await passes(watching({ kind: 'operator', user }));
    await passes(watching(proxy), 403);
    const headers = { 'impersonate-user': 'x' };
    await passes(requestOf(proxy, 'GET', '/api/v1/services?watch=1', headers));
    expect(asked).toEqual([]);
  });
});

describe('who may make events in one namespace', () => {
  it('is known of the one of its pod, and no other', async () => {
    for (const verb of ['create', 'patch']) allowed.add(`controller ${verb} /events shop`);
    await passes(watching(pod));
    go('offline');
    await expect(check(changing(pod, 'shop'))).resolves.toBeUndefined();
    await expect(check(changing(pod, 'other'))).rejects.toMatchObject({ code: 'Unavailable' });
    await expect(check(making(pod, 'shop'))).rejects.toMatchObject({ code: 'Forbidden' });
  });

  it('is known of where somebody has made one', async () => {
    allowed.add('controller patch /events far');
    await passes(changing(pod, 'far'));
    go('offline');
    await expect(check(changing(pod, 'far'))).resolves.toBeUndefined();
    await expect(check(changing(pod, 'shop'))).rejects.toMatchObject({ code: 'Unavailable' });
  });
});
