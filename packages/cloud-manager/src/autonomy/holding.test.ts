import type { Autonomy } from '@selvedge/api';
import { SelvedgeError, createMetricsRegistry } from '@selvedge/kit';
import { createManualClock, recordingLogger, seededRandom } from '@selvedge/kit/testing';
import { type KubeClient, createIndexedStore, createKubeMetrics, microTime } from '@selvedge/kube';
import type { Lease, Node } from '@selvedge/kube/types';
import { afterEach, describe, expect, test } from 'vitest';
import type { EdgeUnitObject } from '@selvedge/unit-controller';
import type { EdgeNodeObject } from '../edge-nodes/index.ts';
import { createHolding } from './holding.ts';
import { Judge } from './judge.ts';
import { Sightings, heldAnnotation, isHeldLease } from './lease/index.ts';
import { timesOf } from './options.ts';
import { Testimonies } from './testimony/index.ts';

const { signal } = new AbortController();
const gracePeriodMs = 40_000;
const hour = 3_600_000;
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** An API of one Lease, and what a leader knows. */
async function world(
  options: {
    readonly policy?: Autonomy;
    readonly status?: EdgeNodeObject['status'];
    /** When the Lease was renewed last, by another leader. */
    readonly held?: string;
    /** How long ago the node itself renewed it, by its clock; not seen here. */
    readonly ownAgeMs?: number;
    /** Of the Node. */
    readonly ready?: string;
  } = {},
) {
  const clock = createManualClock();
  const sightings = new Sightings(clock);
  const testimonies = new Testimonies({ validMs: 30_000 }, clock);
  const leases = createIndexedStore<Lease>();
  const nodes = createIndexedStore<Node>();
  const edgeNodes = createIndexedStore<EdgeNodeObject>();
  const units = createIndexedStore<EdgeUnitObject>({ indexers: { member: () => [] } });
  let version = 0;
  let isReachable = true;
  let isReleased = true;
  const stored = (): Lease => leases.get('kube-node-lease/a') ?? { metadata: {} };
  const store = (spec: Lease['spec'], annotations = stored().metadata.annotations): Lease => {
    const resourceVersion = String((version += 1));
    const metadata = { name: 'a', namespace: 'kube-node-lease', uid: 'u', resourceVersion, annotations };
    const lease: Lease = { metadata, spec };
    leases.apply([{ type: 'MODIFIED', object: lease }], resourceVersion);
    return lease;
  };
  const beat = (): Lease => store({ renewTime: microTime(clock.now()) });
  const reach = (): void => {
    if (!isReachable) throw new SelvedgeError('no API server', { code: 'Unavailable' });
  };
  const renewals: number[] = [];
  const client = {
    async get() {
      reach();
      return stored();
    },
    async patch(_resource: unknown, _at: unknown, { patch }: { readonly patch: { readonly body: unknown } }) {
      reach();
      const { metadata, spec } = patch.body as Lease;
      if (metadata.resourceVersion !== stored().metadata.resourceVersion) {
        throw new SelvedgeError('overtaken', { code: 'Conflict' });
      }
      renewals.push(clock.monotonicMs());
      return store(spec, metadata.annotations);
    },
  } as unknown as Pick<KubeClient, 'get' | 'patch'>;
  const metrics = createMetricsRegistry();
  const moves: string[] = [];
  const times = timesOf({ gracePeriodMs });
  const judge = new Judge(
    { policy: options.policy ?? { kind: 'period', ms: hour }, witnessMs: 30_000, ...times },
    {
      edgeNodes,
      edgeUnits: units,
      nodes,
      leases,
      sightings,
      testimonies,
      clock,
      onMove: (_node, from, to) => {
        if (from !== undefined && from.kind !== to.kind) moves.push(to.kind);
      },
    },
  );
  const holding = createHolding(times, {
    client,
    judge,
    sightings,
    leases,
    edgeNodes,
    isReleased: () => isReleased,
    clock,
    random: seededRandom(1),
    log: recordingLogger(),
    kubeMetrics: createKubeMetrics(metrics),
    renewals: metrics.counter({ name: 'renewals_total', help: '' }),
  });
  leases.subscribe((change) => {
    if (sightings.see(change)) holding.enqueue('a');
  });
  const conditions = [{ type: 'Ready', status: options.ready ?? 'True' }];
  nodes.replace([{ metadata: { name: 'a', uid: 'n', resourceVersion: '1' }, status: { conditions } }], '1');
  edgeNodes.replace([{ metadata: { name: 'a' }, status: options.status }], '1');
  const { held, ownAgeMs = 0 } = options;
  if (held === undefined) store({ renewTime: microTime(clock.now() - ownAgeMs) });
  else store({ renewTime: held }, { [heldAnnotation]: held });
  sightings.follow(true);
  await holding.start(signal);
  closers.push(() => holding.stop());
  await clock.advance(1);
  return {
    clock,
    moves,
    renewals,
    sightings,
    beat,
    stored,
    /** The longest that the stock controller saw nothing, since then. */
    longestGap: (sinceMs: number) => {
      const seen = [sinceMs, ...renewals.filter((at) => at > sinceMs), clock.monotonicMs()];
      return Math.max(...seen.slice(1).map((at, index) => at - (seen[index] ?? 0)));
    },
    reachable: (now: boolean) => {
      isReachable = now;
    },
    released: (now: boolean) => {
      isReleased = now;
    },
  };
}

describe('a node that falls silent', () => {
  test('is held before anybody gives it up, and judged when they would', async () => {
    const { clock, moves, renewals, longestGap, stored } = await world();
    await clock.advance(gracePeriodMs - 1_000);
    expect([moves, renewals.length > 0, isHeldLease(stored())]).toEqual([[], true, true]);
    await clock.advance(20 * 60_000);
    expect(moves).toEqual(['Autonomous']);
    expect(longestGap(0)).toBeLessThan(gracePeriodMs);
  });

  test('and comes back is Connected at once, and left alone', async () => {
    const { clock, moves, renewals, beat } = await world();
    await clock.advance(60_000);
    beat();
    await clock.advance(1);
    expect(moves).toEqual(['Autonomous', 'Connected']);
    const held = renewals.length;
    for (let beats = 0; beats < 20; beats += 1) {
      beat();
      await clock.advance(19_500);
    }
    expect(renewals).toHaveLength(held);
  });

  test('is not held beyond its period, but until its pods tolerate what they did before', async () => {
    const { clock, moves, renewals, released } = await world();
    released(false);
    await clock.advance(hour + gracePeriodMs + 15_000);
    expect(moves).toEqual(['Autonomous', 'Expired']);
    const atRelease = renewals.length;
    await clock.advance(30_000);
    expect(renewals.length).toBeGreaterThan(atRelease);
    released(true);
    await clock.advance(10_000);
    const last = renewals.length;
    await clock.advance(hour);
    expect(renewals).toHaveLength(last);
  });

  test('is not held for ever because pods cannot be written', async () => {
    const { clock, renewals, released } = await world();
    released(false);
    await clock.advance(hour + 4 * gracePeriodMs + 15_000);
    const last = renewals.length;
    await clock.advance(hour);
    expect(renewals).toHaveLength(last);
  });

  test('is not held where autonomy is off', async () => {
    const { clock, moves, renewals } = await world({ policy: { kind: 'off' } });
    await clock.advance(hour);
    expect([moves, renewals]).toEqual([['Expired'], []]);
  });

  test('is not judged while it is we who hear nothing', async () => {
    const { clock, moves, renewals, sightings, beat, reachable } = await world();
    beat();
    await clock.advance(10_000);
    sightings.follow(false);
    reachable(false);
    await clock.advance(10 * 60_000);
    expect([moves, renewals]).toEqual([[], []]);
    reachable(true);
    sightings.follow(true);
    await clock.advance(23_000);
    expect([moves, renewals]).toEqual([[], []]);
    await clock.advance(60_000);
    expect(moves).toEqual(['Autonomous']);
  });

  test('is held as soon as the API server is back', async () => {
    const { clock, renewals, reachable } = await world();
    await clock.advance(60_000);
    reachable(false);
    await clock.advance(5 * 60_000);
    reachable(true);
    const back = clock.monotonicMs();
    await clock.advance(15_000);
    expect(renewals.some((at) => at >= back && at <= back + 12_000)).toBe(true);
  });
});

describe('a leader that comes', () => {
  test('goes on with a node that was Autonomous, from when it was', async () => {
    const since = new Date(Date.UTC(2026, 0, 1) - hour / 2).toISOString();
    const { clock, moves, renewals } = await world({
      status: { state: 'Autonomous', since, reason: 'NoUnit' },
    });
    expect(renewals).toHaveLength(1);
    await clock.advance(hour / 2 - 20_000);
    expect(moves).toEqual([]);
    await clock.advance(40_000);
    expect(moves).toEqual(['Expired']);
  });

  test('goes on holding a node that was late, and judges it in its time', async () => {
    const held = '2026-01-01T00:00:00.000000Z';
    const { clock, moves, renewals } = await world({ held });
    expect(renewals).toHaveLength(1);
    await clock.advance(gracePeriodMs - 1_000);
    expect(moves).toEqual([]);
    await clock.advance(10_000);
    expect(moves).toEqual(['Autonomous']);
  });

  test('takes nobody out of the stock life cycle whom nobody here has seen alive', async () => {
    const { clock, renewals, moves, beat } = await world({ ready: 'Unknown' });
    await clock.advance(hour / 2);
    expect(renewals).toEqual([]);
    beat();
    await clock.advance(1);
    expect(moves).toEqual(['Connected']);
  });

  test('holds at once who was Connected and was given up meanwhile', async () => {
    const status = { state: 'Connected', since: '2025-12-01T00:00:00Z' } as const;
    const { renewals, moves } = await world({ ready: 'Unknown', status });
    expect([renewals.length, moves]).toEqual([1, ['Autonomous']]);
  });

  test('holds at once who was silent for long already, and judges it in its time', async () => {
    const status = { state: 'Connected', since: '2025-12-01T00:00:00Z' } as const;
    const { clock, moves, renewals } = await world({ status, ownAgeMs: 25_000 });
    expect([renewals.length, moves]).toEqual([1, []]);
    await clock.advance(gracePeriodMs + 10_000);
    expect(moves).toEqual(['Autonomous']);
  });

  test('leaves alone who renewed lately, and who renews again', async () => {
    const status = { state: 'Connected', since: '2025-12-01T00:00:00Z' } as const;
    const lately = await world({ status, ownAgeMs: 20_000 });
    await lately.clock.advance(10_000);
    expect(lately.renewals).toEqual([]);
    const again = await world({ status, ownAgeMs: 25_000 });
    again.beat();
    await again.clock.advance(15_000);
    expect(again.renewals).toHaveLength(1);
  });

  test('gives a node that was Connected its time to show that it is', async () => {
    const since = '2025-12-01T00:00:00Z';
    const { clock, moves, beat } = await world({ status: { state: 'Connected', since } });
    for (let beats = 0; beats < 10; beats += 1) {
      await clock.advance(19_500);
      beat();
    }
    expect(moves).toEqual([]);
  });
});
