import { describe, expect, it } from 'vitest';

import { type CrashBackoff, afterRestart, crashedUntilMs, crashPolicy } from './backoff.ts';

/** The delays of a container that runs for `runMs` each time before it ends. */
function delays(times: number, runMs: number, hash: (n: number) => string = () => 'same'): number[] {
  let nowMs = 1_000_000;
  let entry: CrashBackoff | undefined;
  return Array.from({ length: times }, (_, n) => {
    nowMs += runMs;
    const ended = { atMs: nowMs, hash: hash(n) };
    const untilMs = crashedUntilMs(entry, ended) ?? nowMs;
    nowMs = Math.max(nowMs, untilMs);
    entry = afterRestart(entry, ended, nowMs);
    return (nowMs - ended.atMs) / 1000;
  });
}

describe('crash back-off', () => {
  it('doubles from ten seconds to five minutes after a first start at once', () => {
    expect(delays(9, 100)).toEqual([0, 10, 20, 40, 80, 160, 300, 300, 300]);
  });

  it('starts afresh after ten minutes of running', () => {
    expect(delays(4, crashPolicy.resetAfterMs)).toEqual([0, 10, 20, 40]);
    expect(delays(4, crashPolicy.resetAfterMs + 1)).toEqual([0, 0, 0, 0]);
  });

  it('starts afresh for a container that changed', () => {
    expect(delays(5, 100, (n) => (n < 3 ? 'old' : 'new'))).toEqual([0, 10, 20, 0, 10]);
  });
});
