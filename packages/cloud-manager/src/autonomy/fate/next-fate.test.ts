import type { Autonomy } from '@selvedge/api';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { isHeld, keepsPods, nextFate } from './next-fate.ts';
import { isRecorded, recalledFate, recordOf } from './recorded.ts';
import type { Facts, Fate, Peers } from './types.ts';

const options = { silenceMs: 30_000 };
const start = Date.UTC(2026, 0, 1);
const hour = 3_600_000;
const day: Autonomy = { kind: 'period', ms: 24 * hour };
const connected: Fate = { kind: 'Connected', since: start, reason: 'LeaseRenewed' };
const autonomous: Fate = { kind: 'Autonomous', since: start, reason: 'UnitCut' };
const dead: Fate = { kind: 'Dead', since: start, reason: 'SeenDead', by: ['b'] };
const vouched: Fate = { kind: 'Vouched', since: start, reason: 'SeenAlive', by: ['b'] };
const over: Fate = { kind: 'Expired', since: start, reason: 'PeriodOver' };
const cut: Facts = { now: start + hour, isCut: true, policy: day, peers: { kind: 'cut' } };
const seen = (peers: Partial<Peers & { kind: 'connected' }>): Peers => ({
  kind: 'connected',
  alive: [],
  dead: [],
  silentMs: undefined,
  ...peers,
});

const next = (fate: Fate, facts: Partial<Facts>): Fate => nextFate(fate, { ...cut, ...facts }, options);

describe('a node', () => {
  test.each<[string, Fate, Partial<Facts>, string]>([
    ['that renews its Lease is Connected', autonomous, { isCut: false }, 'Connected LeaseRenewed'],
    ['that is back from the dead is Connected', dead, { isCut: false }, 'Connected LeaseRenewed'],
    ['whose whole unit is cut is Autonomous', connected, {}, 'Autonomous UnitCut'],
    ['without a unit is Autonomous', connected, { peers: { kind: 'none' } }, 'Autonomous NoUnit'],
    ['that a peer sees is Vouched', connected, { peers: seen({ alive: ['b'] }) }, 'Vouched SeenAlive'],
    ['that a peer saw die is Dead', connected, { peers: seen({ dead: ['b'] }) }, 'Dead SeenDead'],
    [
      'that one peer sees and another does not is Vouched',
      dead,
      { peers: seen({ alive: ['b'], dead: ['c'] }) },
      'Vouched SeenAlive',
    ],
    ['whose peers witness nothing is Autonomous', connected, { peers: seen({}) }, 'Autonomous NoWitness'],
    [
      'whose peers may yet witness is Autonomous',
      connected,
      { peers: seen({ silentMs: 29_999 }) },
      'Autonomous AwaitingWitness',
    ],
    [
      'of which peers are silent is left to the stock life cycle',
      autonomous,
      { peers: seen({ silentMs: 30_000 }) },
      'Expired NotVouched',
    ],
    [
      'whose last vouch is over has its peers asked anew, however long it has been cut',
      vouched,
      { peers: seen({ silentMs: hour }) },
      'Autonomous AwaitingWitness',
    ],
    [
      'whose last vouch was over lately may yet be seen',
      { ...autonomous, since: start + hour - 29_999 },
      { peers: seen({ silentMs: hour }) },
      'Autonomous AwaitingWitness',
    ],
    ['whose period is over is Expired', autonomous, { now: start + 24 * hour }, 'Expired PeriodOver'],
    ['stays Expired when its unit is cut later', over, {}, 'Expired PeriodOver'],
    [
      'that is seen after its period is Vouched',
      over,
      { peers: seen({ alive: ['b'] }) },
      'Vouched SeenAlive',
    ],
    [
      'whose period is made endless is held again',
      over,
      { policy: { kind: 'forever' } },
      'Autonomous UnitCut',
    ],
    [
      'that was never seen alive is not held by a longer policy',
      { kind: 'Expired', since: start, reason: 'NeverConnected' },
      { policy: { kind: 'forever' } },
      'Expired NeverConnected',
    ],
    ['stays Dead when its unit is cut later', dead, {}, 'Dead SeenDead'],
    [
      'without autonomy is left to the stock life cycle',
      connected,
      { policy: { kind: 'off' } },
      'Expired AutonomyOff',
    ],
    [
      'without autonomy is not called Dead',
      connected,
      { policy: { kind: 'off' }, peers: seen({ dead: ['b'] }) },
      'Expired AutonomyOff',
    ],
  ])('%s', (_what, fate, facts, expected) => {
    const { kind, reason } = next(fate, facts);
    expect(`${kind} ${reason}`).toBe(expected);
  });

  test('that vouches kept alive has its whole period left when they end', () => {
    const seenAgain = next(autonomous, { now: start + 23 * hour, peers: seen({ alive: ['b'] }) });
    const alone = next(seenAgain, { now: start + 30 * hour });
    expect(alone).toEqual({ kind: 'Autonomous', since: start + 30 * hour, reason: 'UnitCut' });
  });

  test('that was vouched for is Autonomous when its unit is cut, though a witness is seen connected a while longer', () => {
    const lapsed = next(vouched, { peers: seen({ silentMs: hour }) });
    const alone = next(lapsed, { now: start + hour + 20_000 });
    expect(alone).toEqual({ kind: 'Autonomous', since: start + hour, reason: 'UnitCut' });
  });
});

const names = fc.uniqueArray(fc.constantFrom('b', 'c', 'd'), { maxLength: 3 });
const policies: fc.Arbitrary<Autonomy> = fc.oneof(
  fc.constant<Autonomy>({ kind: 'off' }),
  fc.constant<Autonomy>({ kind: 'forever' }),
  fc.record({ kind: fc.constant('period' as const), ms: fc.integer({ min: 1, max: 48 * hour }) }),
);
const peers: fc.Arbitrary<Peers> = fc.oneof(
  fc.constant<Peers>({ kind: 'none' }),
  fc.constant<Peers>({ kind: 'cut' }),
  fc.record({
    kind: fc.constant('connected' as const),
    alive: names,
    dead: names,
    silentMs: fc.option(fc.nat(100_000), { nil: undefined }),
  }),
);
/** One after the other in time. */
const histories = fc
  .array(fc.record({ passed: fc.nat(2 * hour), isCut: fc.boolean(), policy: policies, peers }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((steps) => {
    let now = start;
    return steps.map(({ passed, ...facts }) => ({ ...facts, now: (now += passed) }));
  });

const live = (facts: readonly Facts[], first: Fate = connected): readonly Fate[] => {
  let fate = first;
  return facts.map((each) => (fate = nextFate(fate, each, options)));
};

describe('whatever happens', () => {
  property.prop([histories])('only who renews is Connected, and who renews is', (history) => {
    live(history).forEach((fate, at) => {
      expect(fate.kind === 'Connected').toBe(history[at]?.isCut === false);
    });
  });

  property.prop([histories])('nobody is Dead of whom no peer said so since its last renewal', (history) => {
    live(history).forEach((fate, at) => {
      if (fate.kind !== 'Dead') return;
      const before = history.slice(0, at + 1);
      const renewed = before.findLastIndex(({ isCut }) => !isCut);
      const accused = before
        .slice(renewed + 1)
        .some(({ peers: said }) => said.kind === 'connected' && said.dead.length > 0);
      expect(accused).toBe(true);
    });
  });

  property.prop([histories])('nobody is held who was never seen alive', (history) => {
    const never: Fate = { kind: 'Expired', since: start, reason: 'NeverConnected' };
    live(history, never).forEach((fate, at) => {
      const seenAlive = history
        .slice(0, at + 1)
        .some(({ isCut, peers: said }) => !isCut || said.kind === 'connected');
      if (!seenAlive) expect(isHeld(fate)).toBe(false);
    });
  });

  property.prop([histories])('looking again changes nothing', (history) => {
    live(history).forEach((fate, at) => {
      const facts = history[at];
      if (facts !== undefined) expect(nextFate(fate, facts, options)).toEqual(fate);
    });
  });

  property.prop([histories])('off is never held, forever is never over', (history) => {
    live(history).forEach((fate, at) => {
      const { isCut, policy } = history[at] ?? cut;
      if (isCut && policy.kind === 'off') expect([isHeld(fate), keepsPods(fate)]).toEqual([false, false]);
      if (isCut && policy.kind === 'forever') expect(fate.reason).not.toBe('PeriodOver');
    });
  });

  property.prop([histories])('a manager that restarts goes on where it was', (history) => {
    for (const fate of live(history)) {
      const recalled = recalledFate(recordOf(fate));
      expect(recalled).toEqual({ ...fate, since: Math.floor(fate.since / 1_000) * 1_000 });
      expect(isRecorded(fate, recordOf(fate))).toBe(true);
    }
  });
});
