import { afterAll, beforeAll, expect, it } from 'vitest';
import type { InstallerCluster } from './installer-cluster.ts';
import {
  type InstallerLibrary,
  type Loss,
  installerLibrary,
  lostAfterWord,
  lostBeforeWord,
} from './installer-library.ts';

const node = 'shop-1';

export interface FaultsOptions {
  readonly world: InstallerCluster;
  /** How many steps the conversion of a node has: each is lost. */
  readonly steps: number;
}

/** Where a run is lost: a step was announced and not begun, or done and not written down. */
const moments = {
  'as it begins': { forth: 'doing', back: 'undoing', lose: lostAfterWord },
  'as it ends': { forth: 'did', back: 'undid', lose: lostBeforeWord },
} as const;

type Moment = keyof typeof moments;

function lossOf(moment: Moment, direction: 'forth' | 'back', step: number): Loss {
  const { lose, [direction]: word } = moments[moment];
  return (lose as (machine: string, word: string, step: number) => Loss)(node, word, step);
}

/** Registers tests that lose the way to a node at every step, forth and back. Call it once, in a `describe`. */
export function itGoesOnWhereverItWasLost({ world, steps }: FaultsOptions): void {
  let library: InstallerLibrary | undefined;
  const installer = (): InstallerLibrary => {
    if (library !== undefined) return library;
    throw new TypeError('the installer is there only inside tests');
  };
  const convert = async (loss?: Loss): Promise<string> => {
    const { nodes } = await installer().convert([node], loss);
    return nodes.map(({ outcome }) => outcome).join();
  };
  const revert = async (loss?: Loss): Promise<string> => {
    const { nodes } = await installer().revert([node], loss);
    return nodes.map(({ outcome }) => outcome).join();
  };
  /** Only the node: the cloud's part stays from test to test. */
  const left = async (): Promise<readonly string[]> =>
    (await world.changes())
      .filter(({ name }) => name.startsWith(node))
      .map(({ part, name }) => `${part} ${name}`);

  beforeAll(async () => {
    library = await installerLibrary(world.cluster);
  });
  afterAll(() => library?.[Symbol.asyncDispose]());

  it('has the steps that are lost below', async () => {
    let last = 0;
    const watch: Loss = (_machine, { stdin = '' }) => {
      const said = /"kind":"did","step":(\d+)/.exec(stdin.toString());
      last = Math.max(last, Number(said?.[1] ?? 0));
      return false;
    };
    expect(await convert(watch)).toBe('converted');
    expect(last + 1).toBe(steps);
    expect(await revert()).toBe('reverted');
    expect(await left()).toEqual([]);
  });

  const each = Array.from({ length: steps }, (_, step) => step);
  const cases = each.flatMap((step) =>
    (Object.keys(moments) as Moment[]).map((moment) => [step, moment] as const),
  );

  it.each(cases)('goes on when it was lost at step %i, %s', async (step, moment) => {
    expect(await convert(lossOf(moment, 'forth', step))).toBe('failed');
    expect(await convert()).toBe('converted');
    expect(await revert()).toBe('reverted');
    expect(await left()).toEqual([]);
  });

  it.each(cases)('goes back when it was lost at step %i, %s', async (step, moment) => {
    expect(await convert(lossOf(moment, 'forth', step))).toBe('failed');
    expect(await revert()).toBe('reverted');
    expect(await left()).toEqual([]);
  });

  it.each(cases)('goes back when the way back was lost at step %i, %s', async (step, moment) => {
    expect(await convert()).toBe('converted');
    expect(await revert(lossOf(moment, 'back', step))).toBe('failed');
    expect(await revert()).toBe('reverted');
    expect(await left()).toEqual([]);
  });
}
