import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { systemClock } from './clock.ts';
import { raceAbort, scoped, withDeadline } from './scope.ts';
import { createManualClock } from './testing.ts';

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

describe('scoped', () => {
  it('aborts with the reason of whichever parent aborts', () => {
    const [one, two] = [new AbortController(), new AbortController()];
    using scope = scoped(one.signal, undefined, two.signal);
    two.abort('second');
    expect(scope.signal.reason).toBe('second');
  });

  it('is born aborted under an aborted parent', () => {
    using scope = scoped(AbortSignal.abort('early'));
    expect(scope.signal).toMatchObject({ aborted: true, reason: 'early' });
  });

  it('leaves no listener on its parents once disposed or aborted', () => {
    const parent = new AbortController();
    {
      using scope = scoped(parent.signal);
      expect(scope.signal.aborted).toBe(false);
      expect(listeners(parent.signal)).toBe(1);
    }
    const other = scoped(parent.signal);
    other.abort();
    expect(listeners(parent.signal)).toBe(0);
  });
});

describe('withDeadline', () => {
  it('returns what the work returns and leaves no timer or listener', async () => {
    const clock = createManualClock();
    const parent = new AbortController();
    const options = { what: 'work', timeoutMs: 100, signal: parent.signal };
    await expect(withDeadline(options, clock, async () => 7)).resolves.toBe(7);
    expect(clock.sleepers).toBe(0);
    expect(listeners(parent.signal)).toBe(0);
  });

  it('rejects with DeadlineExceeded even when the work ignores its signal', async () => {
    const clock = createManualClock();
    const waiting = withDeadline({ what: 'dial', timeoutMs: 100 }, clock, () => new Promise(() => undefined));
    const outcome = waiting.catch((error: unknown) => error);
    await clock.advance(100);
    expect(await outcome).toMatchObject({
      code: 'DeadlineExceeded',
      message: 'dial took longer than 100 ms',
    });
  });

  it('hands the work a signal that aborts with the parent', async () => {
    const parent = new AbortController();
    const waiting = withDeadline(
      { what: 'wait', timeoutMs: 60_000, signal: parent.signal },
      systemClock,
      (signal) => systemClock.sleep(60_000, signal),
    );
    parent.abort('enough');
    await expect(waiting).rejects.toBe('enough');
  });

  it('passes the failure of the work on', async () => {
    const failing = withDeadline({ what: 'x', timeoutMs: 10 }, createManualClock(), async () => {
      throw new TypeError('bad');
    });
    await expect(failing).rejects.toThrow(TypeError);
  });
});

describe('raceAbort', () => {
  it('does not report a rejection that comes after the abort', async () => {
    const { promise, reject } = Promise.withResolvers<void>();
    const controller = new AbortController();
    const raced = raceAbort(promise, controller.signal);
    controller.abort('stop');
    await expect(raced).rejects.toBe('stop');
    reject(new Error('late'));
    await expect(raceAbort(Promise.reject(new Error('later')), controller.signal)).rejects.toBe('stop');
  });
});
