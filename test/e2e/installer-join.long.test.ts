import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { lostAfterWord, lostBeforeWord } from './support/installer-library.ts';
import { type JoinCycle, isLost, joinCycle } from './support/join-cycle.ts';
import { losingWhere } from './support/joining.ts';
import { useSite } from './support/site.ts';

vi.setConfig({ testTimeout: 7_200_000 });

const site = useSite();
const name = 'bare-2';
let cycle: JoinCycle;

beforeAll(async () => {
  cycle = await joinCycle(site, name);
});
afterAll(() => cycle[Symbol.asyncDispose]());

/** Where the machine is lost: a step was announced and not begun, or done and not written down. */
const moments = {
  'as it begins': {
    join: (step: number) => lostAfterWord(name, 'doing', step),
    reset: (step: number) => lostAfterWord(name, 'undoing', step),
  },
  'as it ends': {
    join: (step: number) => lostBeforeWord(name, 'did', step),
    reset: (step: number) => lostBeforeWord(name, 'undid', step),
  },
} as const;
const ways = Object.keys(moments) as (keyof typeof moments)[];

const fewestSteps = 5;

it.each(ways)('a join that is lost at any step, %s, goes on, or goes back to nothing', async (moment) => {
  const { bare, operator } = cycle;
  let [step, lost] = [0, true];
  for (; lost; step += 1) {
    const options = await operator.options(name, await cycle.newToken());
    lost = await isLost(operator.join(losingWhere(bare.host, moments[moment].join(step)), options));
    // Every other one goes on before it goes back.
    const goesOn = lost && step % 2 === 0;
    if (goesOn) await operator.join(bare.host, options);
    const isReady = (lost && !goesOn) || (await cycle.isNodeReady());
    await operator.reset(bare.host);
    expect({ step, isReady, left: await cycle.leftovers() }).toEqual({ step, isReady: true, left: [] });
  }
  expect(step).toBeGreaterThan(fewestSteps);
});

it.each(ways)('a reset that is lost at any step, %s, goes on', async (moment) => {
  const { bare, operator } = cycle;
  let [step, lost] = [0, true];
  for (; lost; step += 1) {
    await operator.join(bare.host, await operator.options(name, await cycle.newToken()));
    lost = await isLost(operator.reset(losingWhere(bare.host, moments[moment].reset(step))));
    if (lost) await operator.reset(bare.host);
    expect({ step, left: await cycle.leftovers() }).toEqual({ step, left: [] });
  }
  expect(step).toBeGreaterThan(fewestSteps);
});
