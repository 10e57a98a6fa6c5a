import { createMetricsRegistry, raceAbort, SelvedgeError } from '@selvedge/kit';
import { createManualClock, recordingLogger, seededRandom, type ManualClock } from '@selvedge/kit/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Evidence } from './connectivity-plan.ts';
import { createUpstreamMetrics } from './metrics.ts';
import { createMonitor, type Monitor } from './monitor.ts';
import { defaultTimings } from './timings.ts';
import type { Connectivity } from './types.ts';

const { signal } = new AbortController();
const silent: Evidence = { kind: 'suspected', reason: 'silent for 7 s', patienceMs: 2_000, proof: 'answer' };
const answer: Evidence = { kind: 'answered', server: 'a', by: 'answer' };

/** A link that refuses at once, swallows everything for as long as a probe takes, or is well. */
type Link = 'refuses' | 'swallows' | 'well';

class World {
  readonly clock: ManualClock = createManualClock();
  readonly log = recordingLogger();
  readonly registry = createMetricsRegistry();
  readonly told: Connectivity[] = [];
  readonly monitor: Monitor;
  link: Link = 'well';
  probes = 0;
  aborts = 0;

  constructor(seed = 1) {
    this.monitor = createMonitor(defaultTimings, {
      clock: this.clock,
      random: seededRandom(seed),
      log: this.log,
      metrics: createUpstreamMetrics(this.registry),
      probe: (inner) => this.#probe(inner),
    });
    this.monitor.onConnectivity((now) => this.told.push(now));
  }

  async #probe(inner: AbortSignal): Promise<string> {
    this.probes += 1;
    inner.addEventListener('abort', () => (this.aborts += 1));
    if (this.link === 'swallows') await raceAbort(this.clock.sleep(defaultTimings.probeMs, inner), inner);
    if (this.link === 'well') return 'a';
    const why = this.link === 'refuses' ? 'refused' : 'no answer';
    throw new SelvedgeError(why, { code: 'Unavailable' });
  }

  async start(link: Link = 'well'): Promise<void> {
    this.link = link;
    await this.monitor.start(signal);
    await this.clock.advance(0);
  }

  /** Time until the connectivity is of that kind. */
  async until(kind: Connectivity['kind'], limitMs = 60_000): Promise<number> {
    const started = this.clock.monotonicMs();
    while (this.monitor.connectivity.kind !== kind && this.clock.monotonicMs() - started < limitMs)
      await this.clock.advance(50);
    return this.clock.monotonicMs() - started;
  }
}

describe('the watch over the upstream', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(async () => {
    await world.monitor.stop();
    expect(world.clock.sleepers).toBe(0);
  });

  it('asks once, and then nothing as long as all is well', async () => {
    expect(world.monitor.connectivity.kind).toBe('connecting');
    await world.start();
    expect(world.monitor.connectivity).toEqual({ kind: 'online', sinceMs: world.clock.now(), server: 'a' });
    await world.clock.advance(24 * 3_600_000);
    expect(world.probes).toBe(1);
  });

  it('is offline at once when a doubt meets a refusal', async () => {
    await world.start();
    await world.clock.advance(5_000);
    world.link = 'refuses';
    world.monitor.hear({ ...silent, patienceMs: 5_000 });
    expect(world.monitor.connectivity.kind).toBe('online');
    await world.clock.advance(0);
    const sinceMs = world.clock.now();
    expect(world.monitor.connectivity).toEqual({ kind: 'offline', sinceMs, reason: 'refused' });
    expect(world.log.lines.filter(({ level }) => level === 'warn')).toEqual([
      { level: 'warn', text: 'the cloud is out of reach', fields: { reason: 'refused' } },
    ]);
  });

  it('is offline after the patience of the doubt when the probe hears nothing', async () => {
    await world.start();
    world.link = 'swallows';
    world.monitor.hear(silent);
    await world.clock.advance(1_999);
    expect(world.monitor.connectivity.kind).toBe('online');
    await world.clock.advance(1);
    expect(world.monitor.connectivity).toMatchObject({ kind: 'offline', reason: 'silent for 7 s' });
    // The probe goes on: what it finds is the reason from then on, and no news.
    await world.clock.advance(2_000);
    expect(world.monitor.connectivity).toMatchObject({ kind: 'offline', reason: 'no answer' });
    expect(world.told.map(({ kind }) => kind)).toEqual(['online', 'offline']);
  });

  it('is offline soon after a start into silence', async () => {
    await world.start('swallows');
    expect(world.monitor.connectivity.kind).toBe('connecting');
    expect(await world.until('offline')).toBeLessThanOrEqual(5_000);
  });

  it('lets a doubt go when an answer comes, and gives the probe up', async () => {
    await world.start();
    world.link = 'swallows';
    world.monitor.hear(silent);
    await world.clock.advance(1_000);
    world.monitor.hear(answer);
    await world.clock.advance(60_000);
    expect(world.told.map(({ kind }) => kind)).toEqual(['online']);
    expect([world.probes, world.aborts]).toEqual([2, 1]);
  });

  it('tells who waits how a start or a doubt ended, and lets go of him at the stop', async () => {
    const early = world.monitor.settled(signal);
    await world.start();
    expect(await early).toMatchObject({ kind: 'online' });
    expect(await world.monitor.settled(signal)).toMatchObject({ kind: 'online' });
    world.link = 'swallows';
    world.monitor.hear(silent);
    const settled = world.monitor.settled(signal);
    await world.clock.advance(2_000);
    expect(await settled).toMatchObject({ kind: 'offline' });
    const other = new World();
    await other.start('swallows');
    const waiting = other.monitor.settled(signal).catch((error: unknown) => error);
    await other.monitor.stop();
    expect(await waiting).toMatchObject({ code: 'Aborted' });
  });

  it('does not come back for an answer that a second one does not follow', async () => {
    await world.start('refuses');
    for (let flaps = 0; flaps < 20; flaps += 1) {
      const before = world.probes;
      world.link = 'well';
      while (world.probes === before) await world.clock.advance(10);
      world.link = 'refuses';
      await world.clock.advance(defaultTimings.steadyMs);
    }
    expect(world.told.map(({ kind }) => kind)).toEqual(['offline']);
    expect(world.registry.render()).toContain('selvedge_upstream_connectivity{state="offline"} 1\n');
    expect(world.registry.render()).toContain('selvedge_upstream_changes_total{to="offline"} 1\n');
  });

  it('keeps the time at which it went offline, whatever the reasons since', async () => {
    await world.start('refuses');
    const { sinceMs } = world.monitor.connectivity;
    world.link = 'swallows';
    await world.clock.advance(60_000);
    expect(world.monitor.connectivity).toEqual({ kind: 'offline', sinceMs, reason: 'no answer' });
  });

  it('says what may be on the way when the certificate is not trusted', async () => {
    await world.start();
    world.monitor.hear({ ...silent, patienceMs: 0, reason: 'its certificate is not trusted (X)' });
    world.link = 'swallows';
    await world.clock.advance(10);
    expect(world.log.lines.find(({ level }) => level === 'warn')?.fields['hint']).toMatch(/captive portal/);
  });
});

describe('a link that heals', () => {
  it.each<Link>(['refuses', 'swallows'])(
    'is noticed within 10 s after it %s, and not in one step',
    async (how) => {
      for (let seed = 0; seed < 50; seed += 1) {
        const world = new World(seed);
        await world.start(how);
        await world.clock.advance(120_000 + seed * 313);
        world.link = 'well';
        const took = await world.until('online');
        expect(took).toBeLessThanOrEqual(10_000);
        expect(took).toBeGreaterThanOrEqual(defaultTimings.steadyMs);
        await world.monitor.stop();
      }
    },
  );
});
