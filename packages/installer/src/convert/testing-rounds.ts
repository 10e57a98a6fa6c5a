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
  playRounds(rounds, 'loss', async (round) => {
    const { site, before, number, mishap } = round;
    const result = await site.convert({ onFailure: 'continue' }, { mishap });
    if (site.commands <= number) return site.isConverted();
    const [node] = result.nodes;
    if (isFreed(round, await site.isConverted())) return undefined;
    // Unchanged: its last word arrived, the answer did not, and it is an edge node.
    const isLate = node?.outcome === 'unchanged';
    match(`${number} ${node?.outcome}`, /^\d+ (rolled-back|refused|not-begun|unchanged)$/);
    deepEqual([number, await site.isConverted()], [number, isLate]);
    if (!isLate) await isVanilla(site, before);
    return undefined;
  });

/** The mishap met the last command, after all was done: how the machine is given free does not matter. */
const isFreed = ({ site, number }: Round, isWhole: boolean): boolean =>
  isWhole && site.commands === number + 1;

function assertStopped(number: number, end: unknown): void {
  if (!hasCode(end, 'Aborted'))
    throw new Error(`stopped at command ${number}, it ended otherwise`, { cause: end });
}

/** A conversion is stopped: every second one is resumed, all are reverted. */
export const stoppingConversions = (rounds: Rounds): Promise<void> =>
  playRounds(rounds, 'stop', async (round) => {
    const { site, number, mishap } = round;
    const stopped = await site.convert({}, { mishap }).catch((error: unknown) => error);
    const isWhole = await site.isConverted();
    if (site.commands <= number) return isWhole;
    if (isFreed(round, isWhole)) return undefined;
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
    const isWhole = !(await site.isConverted());
    if (site.commands <= number) return isWhole;
    if (isFreed(round, isWhole)) return undefined;
    assertStopped(number, stopped);
    await resumeAndRevert(round);
    return undefined;
  });

async function resumeAndRevert({ site, number, before }: Round): Promise<void> {
  const goesOn = number % 2 === 0;
  if (goesOn) {
    const { nodes } = await site.convert();
    deepEqual({ number, nodes, isConverted: await site.isConverted() }, { number, nodes, isConverted: true });
  }
  const { nodes } = await site.revert();
  const failed = nodes.filter(({ outcome }) => outcome !== 'reverted' && outcome !== 'unchanged');
  deepEqual({ number, failed }, { number, failed: [] });
  await isVanilla(site, before);
}
