import type { UnitAppRollout } from '@selvedge/api';
import { describe, expect, test } from 'vitest';
import { type Position, type PositionFacts, type UnitInWave, moved } from './position.ts';
import type { UnitState } from './unit-state.ts';

const nowMs = 1_000_000;
const waves = ['one', 'half', 'Others'];
const at = (change: Partial<Position> = {}): Position => ({
  state: 'Progressing',
  revision: 2,
  wave: 'half',
  sinceMs: nowMs - 60_000,
  message: '',
  ...change,
});

const stateOf = (kind: UnitState['kind']): UnitState =>
  kind === 'waiting' ? { kind, for: 'turn' } : { kind, why: 'it is so' };

/** `half: healthy` is a unit of the wave `half`. */
function unitOf(text: string, number: number): UnitInWave {
  const [wave = '', kind] = text.split(': ');
  return { name: `shop-${number}`, place: waves.indexOf(wave), state: stateOf(kind as UnitState['kind']) };
}

const factsOf = (units: readonly string[], change: Partial<PositionFacts> = {}): PositionFacts => ({
  wanted: 2,
  current: 1,
  rollout: {},
  waves,
  units: units.map(unitOf),
  isSpecNew: false,
  nowMs,
  ...change,
});

const next = (
  position: Position | undefined,
  units: readonly string[],
  change: Partial<PositionFacts> = {},
) => moved(position, factsOf(units, change));

/** Where it is, and that it is there since now. */
const arrived = (state: Position['state'], wave = 'half', change: Partial<Position> = {}) =>
  at({ state, wave, sinceMs: nowMs, ...change });

describe('a rollout begins', () => {
  test.each([
    ['where there was none', undefined, {}, 'one'],
    ['with another revision', at({ revision: 3, state: 'Done' }), {}, 'one'],
    [
      'with another revision after one that was taken back',
      at({ revision: 3, state: 'RolledBack' }),
      {},
      'one',
    ],
    ['at the last wave with what all had last', at({ revision: 3 }), { current: 2 }, 'Others'],
    ['anew where its wave is gone', at({ wave: 'gone' }), {}, 'one'],
    ['anew where the wave that is watched is gone', at({ wave: 'gone', state: 'Baking' }), {}, 'one'],
  ] as const)('%s', (_, position, change, wave) => {
    expect(next(position, ['half: waiting'], change)).toEqual(arrived('Progressing', wave));
  });
});

describe('a failure', () => {
  const failures = ['one: failed', 'half: failed', 'Others: waiting'];
  const why = '2 failed: shop-0: it is so; shop-1: it is so';

  test.each(['Progressing', 'Baking'] as const)('stops what is %s', (state) => {
    expect(next(at({ state }), failures)).toEqual(arrived('Stopped', 'half', { message: why }));
  });

  test.each([
    [0, 'Stopped'],
    [1, 'Stopped'],
    [2, 'Baking'],
  ] as const)('is borne: where %i are, two make it %s', (maxFailedUnits, state) => {
    expect(next(at(), failures, { rollout: { maxFailedUnits } })).toMatchObject({ state });
  });

  test.each([
    ['what all had last is there', 1, 'RollingBack'],
    ['nothing was before', 0, 'Stopped'],
  ] as const)('takes it back where %s', (_, current, state) => {
    const rollout: UnitAppRollout = { onFailure: 'rollback' };
    const expected = arrived(state, 'half', { message: why });
    expect(next(at(), failures, { rollout, current })).toEqual(expected);
  });

  test('stops nothing that goes back to what all had last', () => {
    const position = at({ wave: 'Others' });
    expect(next(position, failures, { current: 2 })).toBe(position);
    const facts = { current: 2, rollout: { onFailure: 'rollback' } } as const;
    expect(next(position, failures.slice(0, 2), facts)).toEqual(arrived('Baking', 'Others'));
  });

  test('stops it though it is to be paused', () => {
    expect(next(at(), failures, { rollout: { pause: true } }).state).toBe('Stopped');
  });

  test.each(['Done', 'RollingBack', 'RolledBack', 'Stopped', 'Paused'] as const)(
    'moves nothing that is %s and to be paused',
    (state) => {
      for (const onFailure of ['stop', 'rollback'] as const) {
        const position = at({ state, message: 'why' });
        const units = [...failures, 'one: unhealthy'];
        expect(next(position, units, { rollout: { onFailure, pause: true } })).toBe(position);
      }
    },
  );

  test.each(['Done', 'RollingBack', 'RolledBack', 'Stopped'] as const)(
    'moves nothing that is %s',
    (state) => {
      for (const onFailure of ['stop', 'rollback'] as const) {
        const position = at({ state, message: 'why' });
        const units = [...failures, 'Others: unhealthy'];
        expect(next(position, units, { rollout: { onFailure } })).toBe(position);
      }
    },
  );

  test('is told with the first three', () => {
    const { message } = next(
      at(),
      Array.from({ length: 5 }, () => 'one: failed'),
    );
    expect(message).toBe('5 failed: shop-0: it is so; shop-1: it is so; shop-2: it is so; and 2 more');
    expect(
      next(
        at(),
        Array.from({ length: 3 }, () => 'one: failed'),
      ).message,
    ).not.toContain('more');
  });
});

describe('a rollout', () => {
  test('is paused, and goes on', () => {
    const rollout: UnitAppRollout = { pause: true };
    expect(next(at({ state: 'Baking' }), ['half: healthy'], { rollout })).toEqual(arrived('Paused'));
    expect(next(at({ state: 'Paused' }), ['half: failed'])).toEqual(arrived('Progressing'));
  });

  test('that was stopped goes on when the UnitApp is another', () => {
    const stopped = at({ state: 'Stopped', message: 'why' });
    expect(next(stopped, ['half: healthy'])).toBe(stopped);
    expect(next(stopped, ['half: failed'], { isSpecNew: true })).toEqual(arrived('Progressing'));
  });

  test.each(['Done', 'RolledBack'] as const)('that is %s stays so when the UnitApp is another', (state) => {
    const position = at({ state });
    expect(next(position, ['half: waiting'], { isSpecNew: true })).toBe(position);
  });

  test('is taken back until nobody waits for it', () => {
    const back = at({ state: 'RollingBack', message: 'why' });
    expect(next(back, ['one: updating', 'half: waiting'])).toBe(back);
    const left = ['one: updating', 'half: offline', 'half: failed', 'Others: skipped'];
    expect(next(back, left)).toEqual(arrived('RolledBack', 'half', { message: 'why' }));
  });
});

describe('a wave', () => {
  test.each([['half: waiting'], ['half: updating'], ['half: unhealthy']])('is held by %s', (unit) => {
    const position = at();
    expect(next(position, ['half: healthy', unit])).toBe(position);
  });

  test.each([
    ['half: healthy'],
    ['half: ailing'],
    ['half: failed'],
    ['half: offline'],
    ['half: skipped'],
    ['half: stuck'],
    ['one: updating'],
    ['one: unhealthy'],
    ['Others: waiting'],
  ])('is not held by %s', (unit) => {
    const facts = { rollout: { maxFailedUnits: 1 } };
    expect(next(at(), ['half: healthy', unit], facts)).toEqual(arrived('Baking'));
  });

  test('of all that get what they had last is held by all', () => {
    const last = at({ wave: 'Others' });
    const facts = { current: 2 };
    expect(next(last, ['one: updating', 'Others: healthy'], facts)).toBe(last);
    expect(next(last, ['one: healthy', 'Others: updating'], facts)).toBe(last);
    expect(next(last, ['one: healthy', 'Others: healthy'], facts)).toEqual(arrived('Baking', 'Others'));
    const baking = at({ wave: 'Others', state: 'Baking' });
    const units = ['one: unhealthy', 'Others: healthy'];
    expect(next(baking, units, facts)).toEqual(arrived('Progressing', 'Others'));
  });

  test.each([
    ['one', ['Others: waiting'], 'Others'],
    ['one', ['half: offline', 'Others: waiting'], 'Others'],
    ['one', ['half: offline', 'half: skipped', 'Others: waiting'], 'half'],
    ['one', ['one: offline', 'half: healthy', 'Others: waiting'], 'half'],
    ['half', ['one: waiting', 'half: offline', 'Others: waiting'], 'Others'],
  ] as const)('%s that nobody is in is passed, of %j to %s', (wave, units, to) => {
    expect(next(at({ wave }), units)).toEqual(arrived('Progressing', to));
  });

  test('is held where none of its units with a link can have it, and says why', () => {
    const message = 'no unit of the wave can show it: shop-0: it is so';
    const held = at({ message });
    const units = ['half: skipped', 'half: offline', 'Others: waiting'];
    expect(next(at(), units)).toEqual(held);
    expect(next(at(), ['half: stuck', 'Others: waiting'])).toEqual(held);
    expect(next(held, units)).toBe(held);
    expect(next(held, ['half: waiting', 'Others: waiting'])).toEqual(at());
    expect(next(at({ wave: 'Others' }), ['one: healthy', 'Others: skipped']).state).toBe('Progressing');
    expect(next(at({ state: 'Baking', wave: 'one' }), ['one: healthy', 'half: skipped']).wave).toBe('half');
  });

  test('that nobody is in is the end where nobody is in a later one', () => {
    expect(next(at(), ['one: healthy', 'Others: offline'])).toEqual(arrived('Done', 'Others'));
    expect(next(at({ wave: 'one' }), [])).toEqual(arrived('Done', 'Others'));
  });

  test('is not passed while nobody at all has a link', () => {
    const position = at();
    expect(next(position, ['one: offline', 'half: offline', 'Others: skipped'])).toBe(position);
  });
});

describe('a wave that is watched', () => {
  const baking = at({ state: 'Baking' });

  test.each([
    [{}, 60_000],
    [{ bakeSeconds: 10 }, 10_000],
    [{ bakeSeconds: 0 }, 0],
  ] as const)('with %j is so for %i ms', (rollout, bakeMs) => {
    const units = ['half: healthy', 'Others: waiting'];
    const since = (sinceMs: number) => at({ state: 'Baking', sinceMs });
    const early = since(nowMs - bakeMs + 1);
    expect(next(early, units, { rollout })).toBe(early);
    const expected = arrived('Progressing', 'Others');
    expect(next(since(nowMs - bakeMs), units, { rollout })).toEqual(expected);
  });

  test('is followed by the next that anybody is in, or by the end', () => {
    const first = at({ state: 'Baking', wave: 'one' });
    expect(next(first, ['one: healthy', 'half: offline', 'Others: waiting']).wave).toBe('Others');
    expect(next(baking, ['half: healthy', 'Others: offline'])).toEqual(arrived('Done', 'Others'));
    expect(next(baking, ['one: waiting', 'half: healthy'])).toEqual(arrived('Done', 'Others'));
  });

  test('is not done when a unit of it breaks', () => {
    expect(next(baking, ['half: healthy', 'half: unhealthy'])).toEqual(arrived('Progressing'));
    for (const other of ['one: unhealthy', 'Others: unhealthy', 'half: ailing', 'half: updating']) {
      expect(next(baking, ['half: healthy', other])).not.toEqual(arrived('Progressing'));
    }
  });
});
