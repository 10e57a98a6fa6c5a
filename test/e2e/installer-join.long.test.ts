import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type JoinCycle, isLost, joinCycle } from './support/join-cycle.ts';
import { losing } from './support/joining.ts';
import { useSite } from './support/site.ts';

vi.setConfig({ testTimeout: 7_200_000 });

const site = useSite();
const name = 'bare-2';
let cycle: JoinCycle;

beforeAll(async () => {
  cycle = await joinCycle(site, name);
});
afterAll(() => cycle[Symbol.asyncDispose]());

const ways = ['before', 'after'] as const;

/** Joins; true if the machine was lost at that command on its way. */
async function joins(at?: {
  readonly command: number;
  readonly when: (typeof ways)[number];
}): Promise<boolean> {
  const { bare, operator } = cycle;
  const options = await operator.options(name, await cycle.newToken());
  if (at === undefined) return isLost(operator.join(bare.host, options));
  const lost = await isLost(operator.join(losing(bare.host, at.command, at.when), options));
  // Half of them go on before they go back.
  if (lost && at.command % 2 === 0) await operator.join(bare.host, options);
  return lost;
}

it.each(ways)('a join that is lost %s any command goes on, or goes back to nothing', async (when) => {
  for (let command = 0; ; command += 1) {
    const lost = await joins({ command, when });
    const isReady = command % 2 === 1 || (await cycle.isNodeReady());
    await cycle.operator.reset(cycle.bare.host);
    const left = await cycle.leftovers();
    expect({ command, isReady, left }).toEqual({ command, isReady: true, left: [] });
    if (!lost) return;
  }
});

it.each(ways)('a reset that is lost %s any command goes on', async (when) => {
  const { bare, operator } = cycle;
  for (let command = 0; ; command += 1) {
    await joins();
    const lost = await isLost(operator.reset(losing(bare.host, command, when)));
    if (lost) await operator.reset(bare.host);
    expect({ command, left: await cycle.leftovers() }).toEqual({ command, left: [] });
    if (!lost) return;
  }
});
