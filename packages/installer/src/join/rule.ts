import type { Severity } from '../check/index.ts';
import type { NodeFacts } from '../facts/index.ts';
import type { ClusterSight } from './examine-cluster.ts';
import type { RuntimeFacts } from './runtime-facts.ts';
import type { JoinOptions } from './types.ts';

/** All that is known before the first change. */
export interface Sight {
  readonly facts: NodeFacts;
  readonly runtime: RuntimeFacts;
  readonly cluster: ClusterSight;
  /** What the machine's clock is ahead of the one here, in milliseconds. */
  readonly aheadMs: number;
  /** How many files of packages the release has for it. */
  readonly archives: number;
}

/** A finding before it has its id and its place. */
export interface Told {
  readonly severity: Severity;
  readonly what: string;
  readonly why: string;
  readonly fix: string;
}

/** Looks at a machine that is to join for one thing. Pure. */
export type Rule = (sight: Sight, options: JoinOptions) => Told | undefined;
/** Rules by the id of what they find. */
export type Rules = Readonly<Record<string, Rule>>;

export const error = (what: string, why: string, fix: string): Told => ({
  severity: 'error',
  what,
  why,
  fix,
});
export const warning = (what: string, why: string, fix: string): Told => ({
  severity: 'warning',
  what,
  why,
  fix,
});
