import type { SessionLimits } from '../types.ts';

export type WindowLimits = Pick<
  SessionLimits,
  'streamWindowBytes' | 'maxStreamWindowBytes' | 'maxSessionBytes'
>;

/** What readers took within one round trip. */
export interface Sample {
  readonly bytes: number;
  readonly bytesPerMs: number;
}

export interface WindowFacts {
  /** The window of each stream now. */
  readonly windowBytes: number;
  readonly streams: number;
  /** Absent where nobody measured. */
  readonly sample?: Sample | undefined;
  /** At which rate it grew last; 0 where it has not, or long ago. */
  readonly grownAtBytesPerMs: number;
}

/** Readers have to be so much faster since it grew: else the line is full, and a round trip is long because it is. */
const faster = 1.1;
/** Up to here they need not be: a busy machine looks the same, and loses more by waiting than this holds. */
const freelyBytes = 4 * 1024 * 1024;
/** A change takes a round trip to work and the next to be measured: so it doubles in each, as in TCP's slow start. */
const growth = 4;
/** The same while it is small: less than what TCP itself has on its way by then. */
const firstGrowth = 16;

/** What the budget of a session leaves to each stream. */
function ceilingOf({ streams }: WindowFacts, limits: WindowLimits): number {
  const share = Math.floor(limits.maxSessionBytes / Math.max(1, streams));
  return Math.max(limits.streamWindowBytes, Math.min(limits.maxStreamWindowBytes, share));
}

/** Whether it is the window that readers wait for. */
const limits = ({ windowBytes, sample, grownAtBytesPerMs }: WindowFacts): boolean =>
  sample !== undefined &&
  sample.bytes * 3 >= windowBytes * 2 &&
  (windowBytes < freelyBytes || sample.bytesPerMs >= grownAtBytesPerMs * faster);

const grown = (bytes: number): number => Math.max(bytes * growth, Math.min(bytes * firstGrowth, freelyBytes));

/**
 * The window that the streams of a session should have. It grows as long as readers take at least two thirds of it within
 * one round trip, and above 4 MiB are faster for it, so that it follows bandwidth × delay, and is never more than the streams' share of
 * the budget. Pure. Source: "gRPC BDP estimation and dynamic flow control", gRPC blog, 2017.
 */
export function nextWindow(facts: WindowFacts, bounds: WindowLimits): number {
  if (facts.streams === 0) return bounds.streamWindowBytes;
  const { windowBytes } = facts;
  return Math.min(ceilingOf(facts, bounds), limits(facts) ? grown(windowBytes) : windowBytes);
}
