import { lookAtCloud, planCloud } from '@selvedge/installer/testing';
import { hasCode, SelvedgeError } from '@selvedge/kit';
import type { KubeClient } from '@selvedge/kube';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type CloudWorld,
  allObjects,
  convertCloud,
  endNamespace,
  options,
  revertCloud,
  withMethods,
} from './installer-cloud-world.ts';

/** A client that does `writes` of its writes, and loses the cluster then: before the next one, or after it. */
function losing(client: KubeClient, writes: number, when: 'before' | 'after'): KubeClient {
  let left = writes;
  const lost = (): never => {
    throw new SelvedgeError('the cluster is lost', { code: 'Unavailable' });
  };
  async function guarded<T>(work: () => Promise<T>): Promise<T> {
    left -= 1;
    if (left < 0 && (when === 'before' || left < -1)) return lost();
    const result = await work();
    return left < 0 ? lost() : result;
  }
  return withMethods(client, {
    create: (...call) => guarded(() => client.create(...call)),
    replace: (...call) => guarded(() => client.replace(...call)),
    patch: (resource, at, call) =>
      call.dryRun === true
        ? client.patch(resource, at, call)
        : guarded(() => client.patch(resource, at, call)),
    delete: (...call) => guarded(() => client.delete(...call)),
  });
}

const isLost = async (work: Promise<unknown>): Promise<boolean> => {
  try {
    await work;
    return false;
  } catch (error) {
    if (hasCode(error, 'Unavailable')) return true;
    throw error;
  }
};

/** How much is left to be done. */
async function leftAfter(work: Promise<unknown>, { deps }: CloudWorld): Promise<number> {
  await work;
  return planCloud(options, await lookAtCloud(options, deps)).changes.length;
}

export interface Interruptions {
  /** From one write that is lost to the next one that is tried. */
  readonly stride: number;
  /** Once it is there, as it was before anything was installed. */
  readonly world: () => CloudWorld;
}

/** Loses the cluster at writes, forth and back: a run goes on where it was, and everything is taken back. */
export function testInterruptions({ stride, world }: Interruptions): void {
  describe('an interrupted run', () => {
    let vanilla: readonly string[];
    beforeAll(async () => {
      vanilla = await allObjects(world().cluster);
    });

    test.each(['before', 'after'] as const)(
      'that is lost %s a write goes on, and is taken back whole',
      async (when) => {
        for (let at = when === 'before' ? 0 : Math.floor(stride / 4); ; at += stride) {
          const lost = await isLost(convertCloud(world().through(losing(world().cluster, at, when))));
          // Half of them go on before they go back.
          const left = at % 2 === 0 ? await leftAfter(convertCloud(world().deps), world()) : 0;
          const back = await isLost(revertCloud(world().through(losing(world().cluster, at, when))));
          if (back) await revertCloud(world().deps);
          await endNamespace(world());
          const message = `lost ${when} write ${at}`;
          expect([message, left]).toEqual([message, 0]);
          await expect.poll(() => allObjects(world().cluster), { message }).toEqual(vanilla);
          if (!lost) return;
        }
      },
    );
  });
}
