import { type UnitAppStatus, unitAppConditions } from '@selvedge/api';
import type { EventContent } from '@selvedge/kube';

type Rollout = NonNullable<UnitAppStatus['rollout']>;

const told: Readonly<Record<Rollout['state'], (rollout: Rollout) => EventContent>> = {
  Progressing: ({ revision, wave }) => ({
    type: 'Normal',
    reason: 'RolloutWave',
    message: `revision ${revision} comes to wave ${wave}`,
  }),
  Baking: ({ revision, wave }) => ({
    type: 'Normal',
    reason: 'RolloutBaking',
    message: `revision ${revision} is healthy in wave ${wave}, which is watched`,
  }),
  Paused: ({ revision }) => ({
    type: 'Normal',
    reason: 'RolloutPaused',
    message: `revision ${revision} comes to no further unit`,
  }),
  Stopped: ({ revision, message }) => ({
    type: 'Warning',
    reason: 'RolloutStopped',
    message: `revision ${revision} comes to no further unit: ${message}`,
  }),
  RollingBack: ({ revision, message }) => ({
    type: 'Warning',
    reason: 'RolloutRollingBack',
    message: `revision ${revision} is taken back: ${message}`,
  }),
  RolledBack: ({ revision }) => ({
    type: 'Warning',
    reason: 'RolloutRolledBack',
    message: `revision ${revision} was taken back`,
  }),
  Done: ({ revision }) => ({
    type: 'Normal',
    reason: 'RolloutDone',
    message: `revision ${revision} has come to all waves`,
  }),
};

const placeOf = ({ state, revision, wave }: Partial<Rollout>): string => [state, revision, wave].join('/');

const invalidIn = ({ conditions }: UnitAppStatus) =>
  conditions?.find(({ type, status }) => type === unitAppConditions.invalid && status === 'True')?.message;

/** What people are told of a status that takes the place of another: where the rollout has come to, and what is wrong. Pure. */
export function newsOf(before: UnitAppStatus = {}, after: UnitAppStatus): readonly EventContent[] {
  const { rollout } = after;
  const isElsewhere = rollout !== undefined && placeOf(before.rollout ?? {}) !== placeOf(rollout);
  const message = invalidIn(after);
  return [
    ...(isElsewhere ? [told[rollout.state](rollout)] : []),
    ...(message === undefined || message === invalidIn(before)
      ? []
      : [{ type: 'Warning', reason: 'Invalid', message } as const]),
  ];
}
