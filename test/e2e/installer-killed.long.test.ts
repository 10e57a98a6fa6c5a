import type { ClusterMachine } from '@selvedge/bed/clusters';
import { beforeAll, describe, expect, it } from 'vitest';
import { useInstallerCluster } from './support/installer-cluster.ts';
import { type InstallerProgram, installerProgram } from './support/installer-program.ts';
import { replacedBy } from './support/installer-pods.ts';
import { until } from './support/programs.ts';

const world = useInstallerCluster({ layout: 'kubeadm', stem: 'kill', workers: 1, podsPerNode: 3 });
const node = 'shop-1';
const journal = '/var/lib/selvedge-installer/journal';
let program: InstallerProgram;

beforeAll(async () => {
  program = await installerProgram(world.cluster);
  await program.convert(`--nodes=${node}`);
  await program.revert(`--nodes=${node}`);
});

function worker(): ClusterMachine {
  const [machine] = world.cluster.workers;
  if (machine !== undefined) return machine;
  throw new TypeError('the cluster has a worker');
}

/** Kills the program as soon as the journal tells of that step, in whatever it does then. */
async function killedAt(args: readonly string[], word: string): Promise<number | null> {
  const { machine } = worker();
  let kill: (() => void) | undefined;
  const run = program.run(args, {
    onStart: (end) => {
      kill = end;
    },
  });
  await until(`${word} in the journal`, async () => {
    const { exitCode } = await machine.execUnchecked(['grep', '--quiet', '--fixed-strings', word, journal]);
    return exitCode === 0;
  });
  kill?.();
  return (await run).exitCode;
}

describe('the program, killed', () => {
  const steps = [1, 5, 8, 12, 15, 16];

  it.each(steps)('goes on when it is run again, at step %i of a conversion', async (step) => {
    const { cluster } = world;
    const args = ['convert', ...program.convertFlags, '--yes', `--nodes=${node}`];
    const { disturbed } = await replacedBy(cluster, async () => {
      expect(await killedAt(args, `"kind":"doing","step":${step},`)).toBeNull();
      expect(await program.convert(`--nodes=${node}`)).toMatchObject({ outcome: 'done' });
    });
    expect(disturbed).toEqual([]);
    expect(await program.revert(`--nodes=${node}`)).toMatchObject({ outcome: 'done' });
  });

  it.each(steps)('takes all back when it is told to, at step %i of a conversion', async (step) => {
    const args = ['convert', ...program.convertFlags, '--yes', `--nodes=${node}`];
    expect(await killedAt(args, `"kind":"doing","step":${step},`)).toBeNull();
    expect(await program.revert(`--nodes=${node}`)).toMatchObject({ outcome: 'done' });
  });

  it.each(steps)('goes on taking back when it is run again, at step %i', async (step) => {
    await program.convert(`--nodes=${node}`);
    const args = ['revert', ...program.machineFlags, '--yes', `--nodes=${node}`];
    expect(await killedAt(args, `"kind":"undoing","step":${step}}`)).toBeNull();
    expect(await program.revert(`--nodes=${node}`)).toMatchObject({ outcome: 'done' });
  });

  it('leaves no machine other than it was', async () => {
    expect(await program.revert()).toMatchObject({ cloud: 'reverted' });
    expect(await world.changes()).toEqual([]);
  });
});
