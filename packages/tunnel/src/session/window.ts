import type { SessionLimits } from '../types.ts';

export type WindowLimits = Pick<
  SessionLimits,
  'streamWindowBytes' | 'maxStreamWindowBytes' | 'maxSessionBytes'
>;

export interface WindowFacts {
  /** The window of each stream now. */
  readonly windowBytes: number;
  readonly streams: number;
  /** Bytes that readers took within one round trip; 0 where nobody measured. */
  readonly sampleBytes: number;
}

/** What the budget of a session leaves to each stream. */
function ceilingOf({ streams }: WindowFacts, limits: WindowLimits): number {
  const share = Math.floor(limits.maxSessionBytes / Math.max(1, streams));
  return Math.max(limits.streamWindowBytes, Math.min(limits.maxStreamWindowBytes, share));
}

/**
 * The window that the streams of a session should have. It doubles as long as readers take at least two thirds of it
 * within one round trip, so that it follows bandwidth × delay, and is never more than the streams' share of the budget.
 * Source: "gRPC BDP estimation and dynamic flow control", gRPC blog, 2017.
 */
export function nextWindow(facts: WindowFacts, limits: WindowLimits): number {
  if (facts.streams === 0) return limits.streamWindowBytes;
  const { windowBytes, sampleBytes } = facts;
  const wanted = sampleBytes * 3 >= windowBytes * 2 ? windowBytes * 2 : windowBytes;
  return Math.min(ceilingOf(facts, limits), wanted);
}
