import type { Autonomy } from '@selvedge/api';

export interface AutonomyOptions {
  /** Of nodes whose EdgeNode and EdgeUnit say nothing. */
  readonly policy: Autonomy;
  /**
   * The shortest time without a renewal after which the node-lifecycle controller gives a node up, in milliseconds: at most
   * its `--node-monitor-grace-period`.
   */
  readonly gracePeriodMs: number;
  /** For how long what a peer saw counts, and after which the silence of one counts, in milliseconds. */
  readonly witnessMs: number;
  readonly failover: {
    /** Dead nodes that lose their pods, in the long run and at once. */
    readonly perMinute: number;
    readonly burst: number;
    /** Of the members of a unit, how many may have failed over at a time, from 0 to 100; one may always. */
    readonly unitPercent: number;
  };
  /** Named in Events. */
  readonly server: string;
}

/** What follows from the grace period. */
export interface Times {
  /** Without a renewal of the node: renewed on its behalf, just in case. */
  readonly lateMs: number;
  /** Without a renewal of the node: it is cut. */
  readonly cutMs: number;
  /** Between two renewals on its behalf. */
  readonly renewMs: number;
  /** For how long holding goes on at most until the pods tolerate what they did before. */
  readonly releaseMs: number;
}

export const timesOf = ({ gracePeriodMs }: Pick<AutonomyOptions, 'gracePeriodMs'>): Times => ({
  lateMs: gracePeriodMs * 0.6,
  cutMs: gracePeriodMs,
  renewMs: gracePeriodMs / 4,
  releaseMs: gracePeriodMs * 3,
});
