import { createManualClock, type ManualClock } from '@selvedge/kit/testing';
import { expect, it } from 'vitest';
import { firstReady } from './first-ready.ts';

const { signal } = new AbortController();

interface World {
  readonly clock: ManualClock;
  /** `server at ms`, in the order of asking. */
  readonly asked: string[];
  readonly given: string[];
  readonly run: (servers: readonly string[], at?: AbortSignal) => Promise<string>;
}

/** Servers that answer after a while, fail after a while (negative), or never (absent). */
function world(answers: Readonly<Record<string, number>>): World {
  const clock = createManualClock();
  const [asked, given]: [string[], string[]] = [[], []];
  const ask = async (server: string, inner: AbortSignal): Promise<void> => {
    asked.push(`${server} at ${clock.monotonicMs()}`);
    inner.addEventListener('abort', () => given.push(server));
    const after = answers[server] ?? Infinity;
    await clock.sleep(Math.abs(after), inner);
    if (after < 0) throw new Error(`${server} failed`);
  };
  const run: World['run'] = (servers, at = signal) =>
    firstReady({ servers, headStartMs: 100 }, { clock, ask }, at);
  return { clock, asked, given, run };
}

it('asks nobody else when the first is well', async () => {
  const { clock, asked, run } = world({ a: 50, b: 1 });
  const found = run(['a', 'b']);
  await clock.advance(50);
  expect(await found).toBe('a');
  expect(asked).toEqual(['a at 0']);
  expect(clock.sleepers).toBe(0);
});

it('asks the next at once when one fails, or after its head start', async () => {
  const { clock, asked, given, run } = world({ a: -10, c: 20 });
  const found = run(['a', 'b', 'c']);
  await clock.advance(1_000);
  expect(await found).toBe('c');
  expect(asked).toEqual(['a at 0', 'b at 10', 'c at 110']);
  expect(given).toContain('b');
});

it('takes a slow first server that answers before a slower second one', async () => {
  const { clock, run } = world({ a: 150, b: 90 });
  const found = run(['a', 'b']);
  await clock.advance(150);
  expect(await found).toBe('a');
});

it('rejects with all failures in the order of the servers', async () => {
  const { clock, run } = world({ a: -90, b: -1 });
  const failed = run(['a', 'b']).catch((error: unknown) => error);
  await clock.advance(1_000);
  const error = await failed;
  expect(error).toBeInstanceOf(AggregateError);
  expect((error as AggregateError).errors.map(String)).toEqual(['Error: a failed', 'Error: b failed']);
});

it('gives up with the signal, and leaves nothing behind', async () => {
  const stop = new AbortController();
  const { clock, given, run } = world({});
  const failed = run(['a', 'b'], stop.signal).catch((error: unknown) => error);
  await clock.advance(150);
  const reason = new Error('enough');
  stop.abort(reason);
  expect(await failed).toBe(reason);
  expect(given).toEqual(['a', 'b']);
  expect(clock.sleepers).toBe(0);
});
