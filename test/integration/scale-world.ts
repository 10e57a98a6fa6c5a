import { join } from 'node:path';
import { converged, quiet } from '../bench/scale/observe.ts';
import { type ScaleWorld, openScaleWorld } from '../bench/scale/world.ts';

const main = join(import.meta.dirname, '../../packages/cloud-manager/src/main.ts');
export const patientMs = 300_000;

/** The bench in small: what is counted must be the same on any machine, however slow. */
export const small = { units: 20, nodesOfEach: 3 };
export const patient = { timeout: 400_000 };
/** Nobody is to be taken for cut because the machine is slow, until that is what is looked at. */
export const graceSeconds = { long: 600, short: 10, stock: 60 };

export const untilConverged = async (world: ScaleWorld): Promise<void> => {
  await converged(world, Date.now(), patientMs);
};

/** Who is gone is soon followed by another. */
const hasty = { leaseDurationSeconds: 5, renewDeadlineSeconds: 3, retrySeconds: 1 };
/** Who leads does not stop to because the machine is slow: the next one looks at all anew, and may write twice. */
export const steady = { leaseDurationSeconds: 600, renewDeadlineSeconds: 300, retrySeconds: 2 };

/** Units with nodes, and a cloud-manager that has done all that is to be done. */
export async function openSmallWorld(leaderElection = hasty): Promise<ScaleWorld> {
  const world = await openScaleWorld({
    program: [process.execPath, main],
    gracePeriodSeconds: graceSeconds.long,
    leaderElection,
    monitorGraceSeconds: graceSeconds.stock,
    beatMs: 1_000,
    beatsPerStatus: 5,
  });
  await world.grow(small.units, small.nodesOfEach);
  await world.manager.start();
  await untilConverged(world);
  await quiet(world, 4, patientMs);
  return world;
}
