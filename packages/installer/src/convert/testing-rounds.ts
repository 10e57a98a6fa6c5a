import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Mishap, type TestSite, createTestSite } from './testing-site.ts';

/** One run after the other, each with its mishap at a later command, until one ends before it. */
export interface Rounds {
  readonly at: Mishap['when'];
  /** The first command that meets it. */
  readonly from: number;
  /** How many commands further the next one is. */
  readonly stride: number;
}

/** Everything of the machine is as it was, and nothing else is on it. */
export async function isVanilla(site: TestSite, before: ReadonlyMap<string, string>): Promise<void> {
  expect(await site.disk.look()).toEqual(before);
  expect(await site.isConverted()).toBe(false);
  expect(await readdir(join(site.disk.folder, '../home'))).toEqual([]);
}

interface Round {
  readonly site: TestSite;
  readonly before: ReadonlyMap<string, string>;
  readonly number: number;
  readonly mishap: Mishap;
}

/**
 * `play` resolves to undefined if its run met the mishap, else to whether that run did all it is for: that is the end, and rounds
 * before it met theirs.
 */
async function playRounds(
  { at, from, stride }: Rounds,
  what: Mishap['what'],
  play: (round: Round) => Promise<boolean | undefined>,
): Promise<void> {
  for (let number = from; ; number += stride) {
    await using site = await createTestSite();
    const before = await site.disk.look();
    const isWhole = await play({ site, before, number, mishap: { at: number, when: at, what } });
    if (isWhole === undefined) continue;
    expect([number > from, isWhole]).toEqual([true, true]);
    return;
  }
}

/** The machine is lost on the way to an edge node: the node is left as it was. */
export const losingConversions = (rounds: Rounds): Promise<void> =>
  playRounds(rounds, 'loss', async ({ site, before, number, mishap }) => {
    const result = await site.convert({ onFailure: 'continue' }, { mishap });
    if (site.commands <= number) return site.isConverted();
    const [node] = result.nodes;
    // How the machine is given free at last does not matter.
    if (site.commands === number + 1) return true;
    // Unchanged: its last word arrived, the answer did not, and it is an edge node.
    const isLate = node?.outcome === 'unchanged';
    expect([number, node?.outcome, await site.isConverted()]).toEqual([
      number,
      expect.stringMatching(/rolled-back|refused|not-begun|unchanged/),
      isLate,
    ]);
    if (!isLate) await isVanilla(site, before);
    return undefined;
  });

/** A conversion is stopped: every second one is resumed, all are reverted. */
export const stoppingConversions = (rounds: Rounds): Promise<void> =>
  playRounds(rounds, 'stop', async (round) => {
    const { site, number, mishap } = round;
    const stopped = await site.convert({}, { mishap }).catch((error: unknown) => error);
    if (site.commands <= number) return site.isConverted();
    expect([number, stopped]).toMatchObject([number, { code: 'Aborted' }]);
    await resumeAndRevert(round);
    return undefined;
  });

/** A revert is stopped: before every second one is resumed the node is converted again. */
export const stoppingReverts = (rounds: Rounds): Promise<void> =>
  playRounds(rounds, 'stop', async (round) => {
    const { site, number, mishap } = round;
    await site.convert();
    const stopped = await site.revert({}, mishap).catch((error: unknown) => error);
    if (site.commands <= number) return !(await site.isConverted());
    // How the machine is given free at last does not matter.
    const isLast = site.commands === number + 1;
    expect([number, stopped]).toMatchObject([number, isLast ? {} : { code: 'Aborted' }]);
    await resumeAndRevert(round);
    return undefined;
  });

async function resumeAndRevert({ site, number, before }: Round): Promise<void> {
  const goesOn = number % 2 === 0;
  const resumed = goesOn ? (await site.convert()).nodes : [];
  expect({ number, resumed, isConverted: await site.isConverted() }).toMatchObject({
    number,
    ...(goesOn ? { isConverted: true } : {}),
  });
  await site.revert();
  await isVanilla(site, before);
}
