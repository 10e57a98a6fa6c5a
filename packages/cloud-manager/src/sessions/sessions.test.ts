import type { EdgeNodeSession } from '@selvedge/api';
import { createManualClock } from '@selvedge/kit/testing';
import { createIndexedStore } from '@selvedge/kube';
import type { Lease } from '@selvedge/kube/types';
import type { SessionView } from '@selvedge/tunnel';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { EdgeNodeObject } from '../edge-nodes/index.ts';
import { type CleaningStep, planCleaning } from './cleaner.ts';
import { entriesOf, sameEntries } from './entries.ts';
import { holdersOf } from './holders.ts';
import { serverLease } from './server-lease.ts';
import { createServers } from './servers.ts';

const { signal } = new AbortController();

const session = (id: number, change: Partial<SessionView> = {}): SessionView => ({
  id,
  peer: 'shop-1',
  direction: 'reverse',
  carrier: 'tls',
  version: 1,
  remote: '203.0.113.7:50412',
  sinceMs: Date.UTC(2026, 0, 1),
  streams: 0,
  receivedBytes: 0,
  sentBytes: 0,
  state: { kind: 'live' },
  ...change,
});

const entry = (server: string, id = '1'): EdgeNodeSession => ({
  server,
  id,
  direction: 'reverse',
  state: 'live',
  carrier: 'tls',
  since: '2026-01-01T00:00:00Z',
  version: 1,
  remote: '203.0.113.7:50412',
});

describe('what an EdgeNode shows of a server', () => {
  test('is the sessions of that node that are not over', () => {
    const ended = session(2, { state: { kind: 'ended', reason: 'gone' } });
    const draining = session(4, { state: { kind: 'draining', reason: 'restart' } });
    const shown = entriesOf('a', [session(1), ended, draining]);
    expect(shown).toEqual([entry('a'), { ...entry('a', '4'), state: 'draining' }]);
    expect(entriesOf('a', [])).toEqual([]);
  });

  test('is the newest eight, if there are more', () => {
    const many = Array.from({ length: 12 }, (_, index) => session(index));
    expect(entriesOf('a', many).map(({ id }) => id)).toEqual(['4', '5', '6', '7', '8', '9', '10', '11']);
  });

  property.prop([fc.shuffledSubarray(['1', '2', '3', '4']), fc.shuffledSubarray(['1', '2', '3', '4'])])(
    'is the same in whatever order, and not the same with others',
    (some, others) => {
      const [a, b] = [some, others].map((ids) => ids.map((id) => entry('a', id)));
      expect(sameEntries(a ?? [], b ?? [])).toBe(some.toSorted().join() === others.toSorted().join());
    },
  );
});

describe('the cleaning of an EdgeNode', () => {
  const made = { 'app.kubernetes.io/managed-by': 'selvedge-cloud-manager' };
  const edgeNode = (change: Partial<EdgeNodeObject>): EdgeNodeObject => ({
    metadata: { name: 'shop-1', labels: made },
    spec: { banned: false },
    ...change,
  });
  const plan = (of: EdgeNodeObject, hasNode = true): CleaningStep | undefined =>
    planCleaning(of, { hasNode, isAlive: (server) => server === 'alive' });

  test.each<[string, EdgeNodeObject, boolean, CleaningStep | undefined]>([
    [
      'takes the sessions of a dead server away, before anything else',
      edgeNode({ status: { sessions: [entry('alive'), entry('dead')], sessionCount: 1 } }),
      false,
      { kind: 'withdraw', server: 'dead' },
    ],
    [
      'counts',
      edgeNode({ status: { sessions: [entry('alive')], sessionCount: 2 } }),
      true,
      { kind: 'count', sessionCount: 1 },
    ],
    ['deletes one that was made for a Node that is gone', edgeNode({}), false, { kind: 'delete' }],
    ['keeps one that bans', edgeNode({ spec: { banned: true } }), false, undefined],
    ['keeps one that a person made', edgeNode({ metadata: { name: 'shop-1' } }), false, undefined],
    [
      'keeps one with a session',
      edgeNode({ status: { sessions: [entry('alive')], sessionCount: 1 } }),
      false,
      undefined,
    ],
    ['has nothing to do for one without sessions', edgeNode({}), true, undefined],
    [
      'has nothing to do at the target',
      edgeNode({ status: { sessions: [entry('alive')], sessionCount: 1 } }),
      true,
      undefined,
    ],
  ])('%s', (_how, of, hasNode, step) => {
    expect(plan(of, hasNode)).toEqual(step);
  });
});

describe('a server', () => {
  const lease = (server: string, version: number): Lease => {
    const at = { namespace: 'ns', server, durationSeconds: 40, egress: '10.0.0.1:8132' };
    const made = serverLease(at, version);
    return { ...made, metadata: { ...made.metadata, uid: server, resourceVersion: String(version) } };
  };

  const world = async () => {
    const clock = createManualClock();
    const leases = createIndexedStore<Lease>();
    const servers = createServers({ leases, clock });
    await servers.start(signal);
    let version = 0;
    const renew = (...names: readonly string[]): void => {
      for (const name of names) {
        version += 1;
        leases.apply([{ type: 'MODIFIED', object: lease(name, version) }], String(version));
      }
    };
    /** So many times `names` are heard, ten seconds each. */
    const pass = async (times: number, ...names: readonly string[]): Promise<void> => {
      for (let turn = 0; turn < times; turn += 1) {
        await clock.advance(10_000);
        renew(...names);
      }
    };
    renew('self', 'a');
    return { clock, leases, servers, renew, pass };
  };

  test('is alive while its Lease changes, whatever its clock says, and until it says goodbye', async () => {
    const { leases, servers, renew, pass } = await world();
    expect(servers.alive).toEqual(['self', 'a']);
    expect(servers.addresses('a')).toEqual({ tunnel: undefined, egress: '10.0.0.1:8132' });
    await pass(3, 'self');
    renew('a');
    await pass(3, 'self');
    expect(servers.isAlive('a')).toBe(true);
    await pass(1, 'self');
    expect(servers.isAlive('a')).toBe(false);
    expect(servers.addresses('a')).toBeUndefined();
    renew('a');
    expect(servers.isAlive('a')).toBe(true);
    leases.replace([], '100');
    expect(servers.isAlive('a')).toBe(false);
    expect(servers.isAlive('b')).toBe(false);
    await servers.stop();
  });

  test('is not taken for dead because nobody is heard, and has its whole time after that', async () => {
    const { clock, servers, pass } = await world();
    await clock.advance(3_600_000);
    expect(servers.alive).toEqual(['self', 'a']);
    await pass(4, 'self');
    expect(servers.alive).toEqual(['self', 'a']);
    await pass(1, 'self');
    expect(servers.alive).toEqual(['self']);
    await servers.stop();
  });
});

test('a node is reached through live servers with a session of the right direction, the newest first', () => {
  const sessions = [
    { ...entry('old'), since: '2026-01-01T00:00:00Z' },
    { ...entry('new'), since: '2026-01-02T00:00:00Z' },
    { ...entry('new', '2'), since: '2026-01-03T00:00:00Z' },
    { ...entry('draining'), state: 'draining' },
    { ...entry('forward'), direction: 'forward' },
    entry('dead'),
  ] as const;
  const servers = {
    addresses: (server: string) => (server === 'dead' ? undefined : { egress: `${server}:1` }),
  };
  expect(holdersOf({ metadata: {}, status: { sessions } }, servers)).toEqual([
    { server: 'new', egress: 'new:1' },
    { server: 'old', egress: 'old:1' },
  ]);
  expect(holdersOf(undefined, servers)).toEqual([]);
});
