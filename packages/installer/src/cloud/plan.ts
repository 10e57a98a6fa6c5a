import type { PlannedChange } from '../command/index.ts';
import { refuseRestarts } from './egress/refuse.ts';
import { placeKey, placeOf } from './inventory/index.ts';
import { isMarkedAsMade } from './objects/metadata.ts';
import { changesOf, tunnelOf } from './plan-changes.ts';
import { checked } from './plan-checks.ts';
import { instructionsOf, warningsOf } from './plan-notes.ts';
import { describeChange } from './plan-text.ts';
import type { CloudChange, CloudOptions, CloudPlan, CloudSeen } from './types.ts';

/** Objects of a run before whose inventory went with it (`revert --keep-data`): ours again. */
const adoptedOf = ({ objects, inventory }: CloudSeen): CloudPlan['adopted'] => {
  const known = new Set(
    (inventory?.entries ?? []).flatMap((one) => ('place' in one ? [placeKey(one.place)] : [])),
  );
  return [...objects.entries()]
    .filter(([key, { live }]) => isMarkedAsMade(live) && !known.has(key) && live.kind !== 'Namespace')
    .map(([, { live }]) => ({ kind: 'made', place: placeOf(live), uid: live.metadata.uid }));
};

const asPlanned = (change: CloudChange): PlannedChange => {
  const { what, detail } = describeChange(change);
  return detail.length === 0 ? { what } : { what, detail };
};

/**
 * What is to be done in the cloud. Throws `Invalid` for options that cannot be, `Unsupported` where the wanted mode cannot be,
 * `Conflict` where something of somebody else's is in the way. Pure.
 */
export function planCloud(options: CloudOptions, seen: CloudSeen): CloudPlan {
  const mode = checked(options, seen);
  const changes = changesOf(options, seen);
  const ofMachines = changes.filter((one) => one.kind === 'machine');
  const restarted = ofMachines.filter(({ phase }) => phase === 'egress').map(({ machine }) => machine.name);
  refuseRestarts(
    restarted,
    seen,
    'use --transport ssh, or --manager deployment, which leaves API servers alone',
  );
  const names = [...new Set(ofMachines.map(({ machine }) => machine.name))];
  const inCluster = changes.filter((one) => one.kind !== 'machine').map(asPlanned);
  return {
    mode,
    options,
    tunnel: tunnelOf(mode, options, seen),
    controlPlanes: seen.controlPlanes,
    changes,
    adopted: adoptedOf(seen),
    parts: [
      ...(inCluster.length === 0 ? [] : [{ where: 'cluster', changes: inCluster }]),
      ...names.map((name) => ({
        where: `control plane ${name}`,
        changes: ofMachines.filter(({ machine }) => machine.name === name).map(asPlanned),
      })),
    ],
    warnings: changes.length === 0 ? [] : warningsOf(options, seen, mode),
    instructions: instructionsOf(options, seen, mode),
  };
}
