import { createManualClock } from '@selvedge/kit/testing';
import { describe, expect, test } from 'vitest';
import type { Peers } from '../fate/index.ts';
import { peersOf } from './peers.ts';
import { Testimonies, type Testimony } from './testimonies.ts';

function world() {
  const clock = createManualClock();
  const testimonies = new Testimonies({ validMs: 30_000 }, clock);
  const say = (witness: string, what: Partial<Testimony> = {}): void =>
    testimonies.add({ subject: 'a', witness, alive: true, ageMs: 0, ...what });
  return { clock, testimonies, say };
}

describe('testimonies', () => {
  test('count for a time, from when the witness looked', async () => {
    const { clock, testimonies, say } = world();
    say('b', { ageMs: 10_000 });
    await clock.advance(20_000);
    expect(testimonies.of('a', 'b')).toBe('alive');
    await clock.advance(1);
    expect(testimonies.of('a', 'b')).toBeUndefined();
  });

  test('are of the newest look, in whatever order they come', () => {
    const { testimonies, say } = world();
    say('b', { alive: false, ageMs: 1_000 });
    say('b', { alive: true, ageMs: 5_000 });
    expect(testimonies.of('a', 'b')).toBe('dead');
  });

  test('make a witness known, whomever they are about, until it falls silent', async () => {
    const { clock, testimonies, say } = world();
    expect(testimonies.witnessesSinceMs('b')).toBeUndefined();
    await clock.advance(5_000);
    say('b', { subject: 'c' });
    await clock.advance(20_000);
    say('b', { subject: 'c' });
    await clock.advance(20_000);
    expect(testimonies.witnessesSinceMs('b')).toBe(5_000);
    await clock.advance(20_000);
    expect(testimonies.witnessesSinceMs('b')).toBeUndefined();
    say('b', { subject: 'c' });
    expect(testimonies.witnessesSinceMs('b')).toBe(65_000);
  });

  test('of a witness that says too much push out its own only', () => {
    const { testimonies, say } = world();
    say('b');
    for (let i = 0; i < 5_000; i += 1) say('liar', { subject: `n${i}` });
    expect(testimonies.of('a', 'b')).toBe('alive');
    expect(testimonies.of('n0', 'liar')).toBeUndefined();
    expect(testimonies.of('n4999', 'liar')).toBe('alive');
  });
});

describe('peers', () => {
  const ask = (
    { clock, testimonies }: ReturnType<typeof world>,
    members: readonly string[],
    connected: readonly string[],
  ): Peers =>
    peersOf(
      {
        node: 'a',
        members,
        isConnected: (member) => connected.includes(member),
        cutSinceMs: 1_000,
        nowMs: clock.monotonicMs(),
      },
      testimonies,
    );

  test('are none, cut, or connected', () => {
    expect(ask(world(), ['a'], ['a'])).toEqual({ kind: 'none' });
    expect(ask(world(), ['a', 'b'], [])).toEqual({ kind: 'cut' });
    expect(ask(world(), ['a', 'b'], ['b'])).toEqual({
      kind: 'connected',
      alive: [],
      dead: [],
      silentMs: undefined,
    });
  });

  test('are heard while they have a link of their own', () => {
    const its = world();
    its.say('b');
    its.say('c', { alive: false });
    its.say('stranger');
    expect(ask(its, ['a', 'b', 'c'], ['b', 'c', 'stranger'])).toMatchObject({ alive: ['b'], dead: ['c'] });
    expect(ask(its, ['a', 'b', 'c'], ['c'])).toMatchObject({ alive: [], dead: ['c'] });
  });

  test('are silent since one that witnesses could have spoken', async () => {
    const its = world();
    its.say('b', { subject: 'c' });
    await its.clock.advance(11_000);
    expect(ask(its, ['a', 'b', 'c'], ['b', 'c'])).toMatchObject({ silentMs: 10_000 });
    its.say('c', { subject: 'b' });
    expect(ask(its, ['a', 'b', 'c'], ['c'])).toMatchObject({ silentMs: 0 });
  });
});
