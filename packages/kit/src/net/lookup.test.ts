import type { LookupAddress } from 'node:dns';
import { createManualClock } from '@selvedge/kit/testing';
import { expect, it } from 'vitest';
import { createLookup } from './lookup.ts';

const addresses: readonly LookupAddress[] = [
  { address: '2001:db8::1', family: 6 },
  { address: '192.0.2.1', family: 4 },
];

/** A resolver of which each question is answered by hand, and what a socket is told. */
function world() {
  const clock = createManualClock();
  const questions: PromiseWithResolvers<readonly LookupAddress[]>[] = [];
  const lookup = createLookup(
    { patienceMs: 500 },
    {
      clock,
      resolve: () => {
        const question = Promise.withResolvers<readonly LookupAddress[]>();
        questions.push(question);
        return question.promise;
      },
    },
  );
  const ask = (
    options: { readonly all?: boolean; readonly family?: number } = { all: true },
  ): Promise<unknown> =>
    new Promise((resolve, reject) => {
      lookup('api.example', options, (error, found) => (error === null ? resolve(found) : reject(error)));
    });
  return { clock, questions, ask };
}

it('asks once for those who ask at the same time, and anew for those who come later', async () => {
  const { questions, ask } = world();
  const both = [ask(), ask({ family: 4 })];
  questions[0]?.resolve(addresses);
  expect(await Promise.all(both)).toEqual([addresses, '192.0.2.1']);
  const later = ask();
  questions[1]?.resolve(addresses.slice(1));
  expect(await later).toEqual(addresses.slice(1));
});

it('falls back on the last answer when the resolver is silent or fails', async () => {
  const { clock, questions, ask } = world();
  const first = ask();
  questions[0]?.resolve(addresses);
  await first;
  const silent = ask();
  await clock.advance(500);
  expect(await silent).toEqual(addresses);
  // The question is still open: no second one is asked beside it.
  const again = ask();
  await clock.advance(500);
  expect([await again, questions.length]).toEqual([addresses, 2]);
  const failing = ask();
  questions[1]?.reject(new Error('EAI_AGAIN'));
  expect(await failing).toEqual(addresses);
  expect(clock.sleepers).toBe(0);
});

it('says what the resolver says when nothing is known', async () => {
  const { questions, ask } = world();
  const failing = ask();
  questions[0]?.reject(Object.assign(new Error('x'), { code: 'ENOTFOUND' }));
  await expect(failing).rejects.toMatchObject({ code: 'ENOTFOUND' });
  const wrongFamily = ask({ family: 4 });
  questions[1]?.resolve(addresses.slice(0, 1));
  await expect(wrongFamily).rejects.toMatchObject({ code: 'ENOTFOUND' });
});
