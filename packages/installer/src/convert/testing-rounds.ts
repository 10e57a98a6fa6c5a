import { deepEqual, match } from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '@selvedge/kit';
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
  deepEqual(await site.disk.look(), before);
  deepEqual(await site.isConverted(), false);
  deepEqual(await readdir(join(site.disk.folder, '../home')), []);
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
    deepEqual([number > from, isWhole], [true, true]);
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
    if (node?.outcome === 'converted' && site.commands === number + 1) return site.isConverted();
    // Unchanged: its last word arrived, the answer did not, and it is an edge node.
    const isLate = node?.outcome === 'unchanged';
    match(`${number} ${node?.outcome}`, /^\d+ (rolled-back|refused|not-begun|unchanged)$/);
    deepEqual([number, await site.isConverted()], [number, isLate]);
    if (!isLate) await isVanilla(site, before);
    return undefined;
  });

function assertStopped(number: number, end: unknown): void {
  if (!hasCode(end, 'Aborted'))
    throw new Error(`stopped at command ${number}, it ended otherwise`, { cause: end });
}

/** A conversion is stopped: every second one is resumed, all are reverted. */
export const stoppingConversions = (rounds: Rounds): Promise<void> =>
  playRounds(rounds, 'stop', async (round) => {
    const { site, number, mishap } = round;
    const stopped = await site.convert({}, { mishap }).catch((error: unknown) => error);
    if (site.commands <= number) return site.isConverted();
    assertStopped(number, stopped);
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
    if (site.commands !== number + 1) assertStopped(number, stopped);
    await resumeAndRevert(round);
    return undefined;
  });

async function resumeAndRevert({ site, number, before }: Round): Promise<void> {
  const goesOn = number % 2 === 0;
  if (goesOn) {
    const { nodes } = await site.convert();
    deepEqual({ number, nodes, isConverted: await site.isConverted() }, { number, nodes, isConverted: true });
  }
  await site.revert();
  await isVanilla(site, before);
}
