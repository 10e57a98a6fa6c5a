import type { Service } from '@selvedge/kit';
import { createManualClock, recordingLogger, seededRandom, type ManualClock } from '@selvedge/kit/testing';
import { fc, test as property } from '@fast-check/vitest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLeaderElection, type LeaderElection } from './election.ts';
import { LeaseServer, type Link } from './testing-leases.ts';

const { signal } = new AbortController();
const lease = { namespace: 'selvedge', name: 'manager' };

interface Candidate {
  readonly election: LeaderElection;
  readonly link: Link;
}

/** Candidates of one Lease, and who of them works. */
class World {
  readonly clock: ManualClock = createManualClock();
  readonly server = new LeaseServer(this.clock);
  readonly working = new Set<string>();
  readonly terms: string[] = [];
  readonly log = recordingLogger();
  most = 0;
  readonly #candidates: Candidate[] = [];

  candidate(identity: string, work: Partial<Service> = {}, behindMs = 0): Candidate {
    const link = { cut: false, delayMs: 5 };
    const { clock } = this;
    const election = createLeaderElection(
      { lease, identity },
      {
        client: this.server.client(link),
        clock: { ...clock, now: () => clock.now() - behindMs },
        random: seededRandom(identity.length),
        log: this.log,
        work: () => ({ ...this.#service(identity), ...work }),
      },
    );
    const candidate = { election, link };
    this.#candidates.push(candidate);
    return candidate;
  }

  #service(identity: string): Service {
    return {
      name: 'work',
      start: async () => {
        this.working.add(identity);
        this.terms.push(identity);
        this.most = Math.max(this.most, this.working.size);
      },
      stop: async () => void this.working.delete(identity),
    };
  }

  /** Waits in the test's time: stops need answers, or the end of their patience. */
  async stop(): Promise<void> {
    const stopped = Promise.all(this.#candidates.map(({ election }) => election.stop()));
    await this.clock.advance(30_000);
    await stopped;
    expect(this.clock.sleepers).toBe(0);
  }
}

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.stop());

async function startTwo(): Promise<readonly [Candidate, Candidate]> {
  const [a, b] = [world.candidate('a'), world.candidate('b')];
  await a.election.start(signal);
  await world.clock.advance(1_000);
  await b.election.start(signal);
  await world.clock.advance(10_000);
  expect([...world.working]).toEqual(['a']);
  return [a, b];
}

describe('a leader election', () => {
  it('makes the first candidate the leader, which renews its Lease', async () => {
    const [a, b] = await startTwo();
    const first = world.server.lease('manager')?.spec;
    expect(first).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 });
    await world.clock.advance(60_000);
    const later = world.server.lease('manager')?.spec;
    expect(later).toMatchObject({
      holderIdentity: 'a',
      acquireTime: first?.acquireTime,
      leaseTransitions: 0,
    });
    expect(later?.renewTime).not.toBe(first?.renewTime);
    expect(world.terms).toEqual(['a']);
    expect([a.election.state.kind, b.election.state.kind]).toEqual(['leading', 'following']);
    expect(b.election.leader).toBe('a');
  });

  it('ends the work after the renew deadline, before another candidate begins', async () => {
    const [a] = await startTwo();
    a.link.cut = true;
    await world.clock.advance(10_000);
    expect([...world.working]).toEqual([]);
    await world.clock.advance(12_000);
    expect([...world.working]).toEqual(['b']);
    expect(world.server.lease('manager')?.spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
    a.link.cut = false;
    await world.clock.advance(60_000);
    expect([...world.working]).toEqual(['b']);
  });

  it('survives an outage that is shorter than the renew deadline', async () => {
    const [a, b] = await startTwo();
    a.link.cut = true;
    b.link.cut = true;
    await world.clock.advance(5_500);
    a.link.cut = false;
    b.link.cut = false;
    await world.clock.advance(60_000);
    expect(world.terms).toEqual(['a']);
  });

  it('gives the Lease up when it stops, after its work has ended', async () => {
    const [a] = await startTwo();
    const stopped = a.election.stop();
    await world.clock.advance(100);
    await stopped;
    expect(world.server.lease('manager')?.spec?.holderIdentity).toBeUndefined();
    await world.clock.advance(5_000);
    expect(world.terms).toEqual(['a', 'b']);
    expect(world.most).toBe(1);
  });

  it.each([-3_600_000, 3_600_000])('does not mind a clock that is %i ms behind', async (behindMs) => {
    const [a, b] = [world.candidate('a', {}, behindMs), world.candidate('b')];
    await a.election.start(signal);
    await b.election.start(signal);
    await world.clock.advance(120_000);
    expect(world.terms).toHaveLength(1);
  });

  it('leaves at once when the Lease is written by another hand', async () => {
    const [a] = await startTwo();
    const found = world.server.lease('manager');
    const client = world.server.client({ cut: false, delayMs: 0 });
    const spec = { ...found?.spec, holderIdentity: 'c', leaseDurationSeconds: 3_600 };
    const written = client.replace(
      { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', plural: 'leases', namespaced: true },
      { metadata: found?.metadata ?? {}, spec } as never,
      { signal },
    );
    await world.clock.advance(2_500);
    await written;
    expect([...world.working]).toEqual([]);
    expect(a.election.leader).toBe('c');
  });

  it('lets another lead when the work does not start', async () => {
    const broken = world.candidate('a', {
      start: async () => {
        throw new Error('no work today');
      },
    });
    await broken.election.start(signal);
    await world.clock.advance(50);
    expect(world.server.lease('manager')?.spec?.holderIdentity).toBeUndefined();
    expect(world.log.lines).toContainEqual(
      expect.objectContaining({ level: 'error', text: 'the work of the leader did not start' }),
    );
  });

  it('fails the program when the work does not end in time, and holds the Lease until it expires', async () => {
    const stuck = world.candidate('a', { stop: () => Promise.withResolvers<void>().promise });
    let failure: unknown;
    stuck.election.failed.catch((error: unknown) => (failure = error));
    await stuck.election.start(signal);
    await world.clock.advance(1_000);
    stuck.link.cut = true;
    await world.clock.advance(14_000);
    expect(failure).toMatchObject({
      code: 'DeadlineExceeded',
      message: expect.stringContaining('ending work'),
    });
  });

  it('refuses times that cannot work', () => {
    const { clock, log } = world;
    const deps = { clock, log, client: world.server.client({ cut: false, delayMs: 0 }), random: () => 0 };
    const options = { lease, identity: 'a', leaseDurationMs: 10_000, renewDeadlineMs: 10_000 };
    expect(() => createLeaderElection(options, { ...deps, work: () => ({}) as Service })).toThrow(/renew/);
  });
});

const event = fc.record({
  afterMs: fc.integer({ min: 0, max: 20_000 }),
  who: fc.integer({ min: 0, max: 2 }),
  cut: fc.boolean(),
  delayMs: fc.integer({ min: 0, max: 6_000 }),
});

property.prop([fc.array(event, { maxLength: 12 })], { numRuns: 60 })(
  'whatever becomes of the links, no two candidates work at the same time, and in the end one does',
  async (events) => {
    const candidates = ['a', 'bb', 'ccc'].map((name, index) => world.candidate(name, {}, index * 900_000));
    for (const { election } of candidates) await election.start(signal);
    for (const { afterMs, who, cut, delayMs } of events) {
      await world.clock.advance(afterMs);
      Object.assign(candidates[who]?.link ?? {}, { cut, delayMs });
    }
    for (const { link } of candidates) Object.assign(link, { cut: false, delayMs: 5 });
    await world.clock.advance(60_000);
    expect(world.most).toBe(1);
    expect(world.working.size).toBe(1);
    await world.stop();
    world = new World();
  },
);
