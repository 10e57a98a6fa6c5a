import { createManualClock } from '@selvedge/kit/testing';
import { describe, expect, it } from 'vitest';

import { createAlarm } from './alarm.ts';
import { createSerial } from './serial.ts';

const never = new AbortController().signal;

describe('an alarm', () => {
  it('ends a wait after its time', async () => {
    const clock = createManualClock();
    const waiting = createAlarm(clock).wait(1000, never);
    await clock.advance(1000);
    await expect(waiting).resolves.toBeUndefined();
  });

  it('ends a wait that has no end when it is rung, also before', async () => {
    const clock = createManualClock();
    const alarm = createAlarm(clock);
    const waiting = alarm.wait(undefined, never);
    alarm.ring();
    await waiting;
    alarm.ring();
    await alarm.wait(10_000, never);
    expect(clock.sleepers).toBe(0);
  });

  it('is given up with its signal and leaves nothing behind', async () => {
    const clock = createManualClock();
    const stop = new AbortController();
    const waiting = createAlarm(clock).wait(1000, stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(clock.sleepers).toBe(0);
  });
});

describe('serial work', () => {
  it('goes one after another for a key, also after a failure, and side by side for two', async () => {
    const serial = createSerial();
    const log: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = serial.run('a', async () => {
      await gate.promise;
      log.push('a1');
      throw new Error('a1 failed');
    });
    const second = serial.run('a', async () => void log.push('a2'));
    await serial.run('b', async () => void log.push('b1'));
    gate.resolve();
    await expect(first).rejects.toThrow('a1 failed');
    await second;
    expect(log).toEqual(['b1', 'a1', 'a2']);
  });
});
