import { expect, test } from 'vitest';
import { createSingleFlight } from './single-flight.ts';

const signal = new AbortController().signal;

test('work asked for by several at the same time is done once', async () => {
  const flights = createSingleFlight<number>();
  const gate = Promise.withResolvers<number>();
  let begun = 0;
  const work = (): Promise<number> => {
    begun += 1;
    return gate.promise;
  };
  const both = Promise.all([flights.run('a', signal, work), flights.run('a', signal, work)]);
  expect(flights.size).toBe(1);
  gate.resolve(7);
  expect(await both).toEqual([7, 7]);
  expect([begun, flights.size]).toEqual([1, 0]);
});

test('who leaves early does not end it for the others, who leaves last does', async () => {
  const flights = createSingleFlight<number>();
  const [first, second] = [new AbortController(), new AbortController()];
  const seen: AbortSignal[] = [];
  const work = (inner: AbortSignal): Promise<number> => {
    seen.push(inner);
    return new Promise((_, reject) => inner.addEventListener('abort', () => reject(inner.reason)));
  };
  const runs = [first, second].map((each) => flights.run('a', each.signal, work).catch(() => 'left'));
  first.abort();
  expect(await runs[0]).toBe('left');
  expect(seen.map((each) => each.aborted)).toEqual([false]);
  second.abort();
  expect(await runs[1]).toBe('left');
  expect(seen.map((each) => each.aborted)).toEqual([true]);
});

test('after one that nobody waited for any more, the next begins anew', async () => {
  const flights = createSingleFlight<number>();
  const early = new AbortController();
  const never = flights.run('a', early.signal, () => new Promise(() => undefined)).catch(() => 'left');
  early.abort();
  await never;
  expect(await flights.run('a', signal, async () => 2)).toBe(2);
});

test('a failure reaches all who wait and is not kept', async () => {
  const flights = createSingleFlight<number>();
  const fail = (): Promise<number> => Promise.reject(new Error('no'));
  const results = await Promise.allSettled([flights.run('a', signal, fail), flights.run('a', signal, fail)]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await flights.run('a', signal, async () => 3)).toBe(3);
});
