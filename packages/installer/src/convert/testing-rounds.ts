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

/** The end of the rounds: this run met no mishap and did all it is for, and others before it met theirs. */
function expectWhole(number: number, { from }: Rounds, isWhole: boolean): void {
  expect([number > from, isWhole]).toEqual([true, true]);
}

/** The machine is lost on the way to an edge node: the node is left as it was. */
export async function losingConversions(rounds: Rounds): Promise<void> {
  const { at, from, stride } = rounds;
  for (let number = from; ; number += stride) {
    await using site = await createTestSite();
    const before = await site.disk.look();
    const mishap: Mishap = { at: number, when: at, what: 'loss' };
    const result = await site.convert({ onFailure: 'continue' }, { mishap });
    if (site.commands <= number) return expectWhole(number, rounds, await site.isConverted());
    const [node] = result.nodes;
    // How the machine is given free at last does not matter.
    if (site.commands === number + 1) return expectWhole(number, rounds, true);
    // Unchanged: its last word arrived, the answer did not, and it is an edge node.
    const isLate = node?.outcome === 'unchanged';
    expect([number, node?.outcome, await site.isConverted()]).toEqual([
      number,
      expect.stringMatching(/rolled-back|refused|not-begun|unchanged/),
      isLate,
    ]);
    if (!isLate) await isVanilla(site, before);
  }
}

/** A conversion is stopped: every second one is resumed, all are reverted. */
export async function stoppingConversions(rounds: Rounds): Promise<void> {
  const { at, from, stride } = rounds;
  for (let number = from; ; number += stride) {
    await using site = await createTestSite();
    const before = await site.disk.look();
    const mishap: Mishap = { at: number, when: at, what: 'stop' };
    const stopped = await site.convert({}, { mishap }).catch((error: unknown) => error);
    if (site.commands <= number) return expectWhole(number, rounds, await site.isConverted());
    expect([number, stopped]).toMatchObject([number, { code: 'Aborted' }]);
    await resumeAndRevert(site, { number, before });
  }
}

/** A revert is stopped: before every second one is resumed the node is converted again. */
export async function stoppingReverts(rounds: Rounds): Promise<void> {
  const { at, from, stride } = rounds;
  for (let number = from; ; number += stride) {
    await using site = await createTestSite();
    const before = await site.disk.look();
    await site.convert();
    const stopped = await site
      .revert({}, { at: number, when: at, what: 'stop' })
      .catch((error: unknown) => error);
    if (site.commands <= number) return expectWhole(number, rounds, !(await site.isConverted()));
    // How the machine is given free at last does not matter.
    const isLast = site.commands === number + 1;
    expect([number, stopped]).toMatchObject([number, isLast ? {} : { code: 'Aborted' }]);
    await resumeAndRevert(site, { number, before });
  }
}

interface Round {
  readonly number: number;
  readonly before: ReadonlyMap<string, string>;
}

async function resumeAndRevert(site: TestSite, { number, before }: Round): Promise<void> {
  const goesOn = number % 2 === 0;
  const resumed = goesOn ? (await site.convert()).nodes : [];
  expect({ number, resumed, isConverted: await site.isConverted() }).toMatchObject({
    number,
    ...(goesOn ? { isConverted: true } : {}),
  });
  await site.revert();
  await isVanilla(site, before);
}
