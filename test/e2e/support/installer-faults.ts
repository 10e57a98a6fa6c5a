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

/** Each step of both ways, on a machine at work: only what hangs takes so long. */
const patienceMs = 7_200_000;

/** Where a run is lost: a step was announced and not begun, or done and not written down. */
const moments = {
  'as it begins': { forth: 'doing', back: 'undoing', lose: lostAfterWord },
  'as it ends': { forth: 'did', back: 'undid', lose: lostBeforeWord },
} as const;

type Moment = keyof typeof moments;

/** How a node ends whose machine is lost. While files are brought to it nothing of it is changed. */
const endsOfLost = ['interrupted', 'failed'];

interface Lost {
  readonly step: number;
  readonly moment: Moment;
}

function lossOf({ step, moment }: Lost, direction: 'forth' | 'back'): Loss {
  const { lose, [direction]: word } = moments[moment];
  return (lose as (machine: string, word: string, step: number) => Loss)(node, word, step);
}

/** Registers tests that lose the way to a node at every step, forth and back. Call it once, in a `describe`. */
export function itGoesOnWhereverItWasLost(world: InstallerCluster): void {
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
  const left = async (): Promise<readonly string[]> => {
    const changes = await world.changes(world.cluster.machines.filter(({ name }) => name === node));
    return changes.map(({ part, name }) => `${part} ${name}`);
  };

  beforeAll(async () => {
    library = await installerLibrary(world.cluster);
  });
  afterAll(() => library?.[Symbol.asyncDispose]());

  /** Loses one conversion after the other, a step later each time, until one has no such step. */
  const atEachStep = async (moment: Moment, goOn: (lost: Lost) => Promise<void>): Promise<void> => {
    for (let step = 0; ; step += 1) {
      const lost = { step, moment };
      const outcome = await convert(lossOf(lost, 'forth'));
      if (outcome === 'converted') {
        expect(step).toBeGreaterThan(10);
        expect(await revert()).toBe('reverted');
        return;
      }
      expect(endsOfLost, `${moment} step ${step}`).toContain(outcome);
      await goOn(lost);
      expect({ ...lost, left: await left() }).toEqual({ ...lost, left: [] });
    }
  };
  const ways = Object.keys(moments) as Moment[];

  it.each(ways)(
    'goes on wherever it was lost, %s, on the way there and back',
    { timeout: patienceMs },
    (moment) =>
      atEachStep(moment, async (lost) => {
        expect({ ...lost, outcome: await convert() }).toEqual({ ...lost, outcome: 'converted' });
        expect({ ...lost, outcome: await revert(lossOf(lost, 'back')) }).toEqual({
          ...lost,
          outcome: 'failed',
        });
        expect({ ...lost, outcome: await revert() }).toEqual({ ...lost, outcome: 'reverted' });
      }),
  );

  it.each(ways)('goes back wherever it was lost, %s', { timeout: patienceMs }, (moment) =>
    atEachStep(moment, async (lost) => {
      expect({ ...lost, outcome: await revert() }).toEqual({ ...lost, outcome: 'reverted' });
    }),
  );
}
