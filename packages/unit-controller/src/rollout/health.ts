import type { UnitAppRollout } from '@selvedge/api';
import { type MetricReading, compareDecimals, parseDecimal } from '../gate/index.ts';

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
  /** What a server of metrics says of the unit with this revision; asked only while that counts. */
  readonly readMetric?: (() => MetricReading | undefined) | undefined;
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

/** Of a revision that was tried out only the pods count: restarts add up over months, and nobody asks for its metric. */
export const gateWhenProven = ({ availablePercent = maxPercent }: HealthGate = {}): HealthGate => ({
  availablePercent,
  maxRestarts: Number.POSITIVE_INFINITY,
});

const isLess = (one: string, other: string): boolean => {
  const [left, right] = [parseDecimal(one), parseDecimal(other)];
  return left === undefined || right === undefined || compareDecimals(left, right) < 0;
};

type Metric = NonNullable<HealthGate['metric']>;

function badMetric({ atLeast, atMost }: Metric, reading: MetricReading): string | undefined {
  if (reading.kind === 'unknown') return `the metric is not known: ${reading.why}`;
  const { text } = reading;
  if (atLeast !== undefined && isLess(text, atLeast)) return `the metric is ${text}, less than ${atLeast}`;
  if (atMost !== undefined && isLess(atMost, text)) return `the metric is ${text}, more than ${atMost}`;
  return undefined;
}

/** Whether the pods of a clone are as the gate asks for. Pure. */
export function podHealthOf(clone: CloneFacts, gate: HealthGate = {}): Health {
  const { availablePercent = maxPercent, maxRestarts = defaultMaxRestarts } = gate;
  if (!clone.isObserved) return { kind: 'notYet', why: 'its controller has not seen it' };
  if (clone.restarts > maxRestarts) {
    return { kind: 'bad', why: `${clone.restarts} restarts, more than ${maxRestarts}` };
  }
  const available = availableOf(clone);
  if (available < Math.ceil((clone.wanted * availablePercent) / maxPercent)) {
    return { kind: 'notYet', why: `${available} of ${clone.wanted} pods available` };
  }
  return { kind: 'good' };
}

/**
 * Whether a clone shows what the gate asks for. The metric is read when all else is good; while nothing is known of it yet,
 * as after a change of the leader, what has been healthy stays so.
 */
export function healthOf(clone: CloneFacts, gate: HealthGate = {}, wasHealthy = false): Health {
  const health = podHealthOf(clone, gate);
  if (health.kind !== 'good' || gate.metric === undefined) return health;
  const reading = clone.readMetric?.();
  if (reading === undefined)
    return wasHealthy ? health : { kind: 'notYet', why: 'the metric is not known yet' };
  const why = badMetric(gate.metric, reading);
  return why === undefined ? health : { kind: 'notYet', why };
}
