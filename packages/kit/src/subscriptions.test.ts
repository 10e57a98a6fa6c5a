import { expect, test } from 'vitest';
import { createSubscriptions } from './subscriptions.ts';

test('what is subscribed to at the start is let go of at the stop, once, and the next start begins anew', async () => {
  const said: string[] = [];
  const { signal } = new AbortController();
  const subscriptions = createSubscriptions({ name: 'test' }, () => [
    () => said.push('a'),
    { [Symbol.dispose]: () => said.push('b') },
  ]);
  await subscriptions.stop();
  expect(said).toEqual([]);
  await subscriptions.start(signal);
  await subscriptions.stop();
  await subscriptions.stop();
  expect(said).toEqual(['b', 'a']);
  await subscriptions.start(signal);
  await subscriptions.stop();
  expect(said).toEqual(['b', 'a', 'b', 'a']);
});
