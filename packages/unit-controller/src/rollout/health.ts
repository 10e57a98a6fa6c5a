import type { UnitAppRollout } from '@selvedge/api';

/** What is seen of a clone and its pods. */
export interface CloneFacts {
  /** What it is made from. */
  readonly revision: number;
  /** Its controller has seen it as it is now: the counts are about this revision. */
  readonly isObserved: boolean;
  /** Pods that are wanted. */
  readonly wanted: number;
  /** Pods there are, old ones too. */
  readonly pods: number;
  /** Pods of its newest template. */
  readonly updated: number;
  /** Pods that are available, old ones too. */
  readonly available: number;
  /** Restarts of containers in pods of the newest template. */
  readonly restarts: number;
  /** What the server of metrics said of the unit; undefined: nothing yet. */
  readonly metric?: number | undefined;
}

export type HealthGate = NonNullable<UnitAppRollout['healthGate']>;

export type Health =
  | { readonly kind: 'good' }
  /** It may become good by itself. */
  | { readonly kind: 'notYet'; readonly why: string }
  /** It will not. */
  | { readonly kind: 'bad'; readonly why: string };

const maxPercent = 100;
const defaultMaxRestarts = 3;

/** At least so many of the new pods are available, whichever the unavailable ones are. */
const availableOf = ({ pods, updated, available }: CloneFacts): number =>
  Math.min(updated, Math.max(0, available - Math.max(0, pods - updated)));

function badMetric(clone: CloneFacts, metric: HealthGate['metric']): string | undefined {
  if (metric === undefined) return undefined;
  const { metric: value } = clone;
  if (value === undefined || Number.isNaN(value)) return 'the metric is not known';
  const { atLeast, atMost } = metric;
  if (atLeast !== undefined && value < Number(atLeast)) return `the metric is ${value}, less than ${atLeast}`;
  if (atMost !== undefined && value > Number(atMost)) return `the metric is ${value}, more than ${atMost}`;
  return undefined;
}

/** Whether a clone shows what the gate asks for. Pure. */
export function healthOf(clone: CloneFacts, gate: HealthGate = {}): Health {
  const { availablePercent = maxPercent, maxRestarts = defaultMaxRestarts } = gate;
  if (!clone.isObserved) return { kind: 'notYet', why: 'its controller has not seen it' };
  if (clone.restarts > maxRestarts) {
    return { kind: 'bad', why: `${clone.restarts} restarts, more than ${maxRestarts}` };
  }
  const available = availableOf(clone);
  if (available < Math.ceil((clone.wanted * availablePercent) / maxPercent)) {
    return { kind: 'notYet', why: `${available} of ${clone.wanted} pods available` };
  }
  const why = badMetric(clone, gate.metric);
  return why === undefined ? { kind: 'good' } : { kind: 'notYet', why };
}
