import { describe, expect, it } from 'vitest';
import { crashed, parseTally, settle, summary } from './tally.ts';

const green = { passed: 3, failed: 0, skipped: 0 };

describe('parseTally', () => {
  it('reads what the reporter writes', () => {
    expect(parseTally(JSON.stringify(green))).toEqual(green);
  });

  it.each(['', '{', 'null', '{"passed":1}', '{"passed":1,"failed":-0.5,"skipped":0}'])(
    'refuses %j',
    (text) => {
      expect(parseTally(text)).toBeUndefined();
    },
  );
});

describe('settle', () => {
  it('takes a tally as it is', () => {
    expect(settle(green, 0)).toEqual(green);
    expect(settle({ passed: 1, failed: 2, skipped: 0 }, 1)).toEqual({ passed: 1, failed: 2, skipped: 0 });
  });

  it('counts a process that left no tally as a failure', () => {
    expect(settle(undefined, 0)).toEqual(crashed);
  });

  it('counts a process that fails after its tests as a failure', () => {
    expect(settle(green, 1)).toEqual({ passed: 3, failed: 1, skipped: 0 });
  });
});

describe('summary', () => {
  it('ends with the sum of all suites', () => {
    const text = summary([
      { suite: 'gates', tally: { passed: 5, failed: 0, skipped: 0 }, durationMs: 12_345 },
      { suite: 'e2e', tally: { passed: 7, failed: 2, skipped: 1 }, durationMs: 60_000 },
    ]);
    expect(text.split('\n')).toEqual([
      'suite              passed   failed  skipped  seconds',
      'gates                   5        0        0     12.3',
      'e2e                     7        2        1     60.0',
      '12 passed, 2 failed',
    ]);
  });
});
