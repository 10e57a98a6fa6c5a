import type { KubeClient } from '@selvedge/kube';
import type { CloudArtifacts } from '../cloud/index.ts';
import { type Restarts, type WaveOptions, waveDefaults } from '../cluster/index.ts';
import type { CommandContext } from '../command/index.ts';
import type { Hosts } from '../host/index.ts';

/** What a person chose to take back. The time is for a node to be seen by the cloud again; `continue` is the default. */
export interface RevertOptions extends WaveOptions {
  /** What was defined and made of Selvedge's own kinds stays in the cloud. Default false. */
  readonly keepData?: boolean;
  /** The cloud is not asked: the machines alone are put back, those that are named with an address. Default false. */
  readonly offline?: boolean;
}

export const revertDefaults = {
  ...waveDefaults,
  onFailure: 'continue',
} as const satisfies Partial<RevertOptions>;

export interface RevertDeps extends CommandContext {
  /** With `offline` nothing is asked of it. */
  readonly cluster: KubeClient;
  readonly hosts: Hosts;
  /** For the cloud's part alone. */
  readonly artifacts: CloudArtifacts;
}

/** What became of a node. */
export type RevertOutcome =
  | 'reverted'
  /** Nothing of ours is on it. */
  | 'unchanged'
  /** Its journal tells how far it is. */
  | 'failed'
  /** Its journal is damaged: nothing was guessed, and nothing changed. */
  | 'damaged'
  /** Nothing was done, because of another node. */
  | 'not-begun';

/** Plain JSON. */
export interface RevertedNode {
  readonly node: string;
  readonly unit?: string;
  readonly outcome: RevertOutcome;
  /** True if the API server saw it Ready afterwards; false offline. */
  readonly verified?: boolean;
  /** Why it was not reverted. */
  readonly because?: string;
  readonly hint?: string;
  /** What a damaged journal says, line by line, as far as it can be believed. */
  readonly known?: readonly string[];
  /** Files that somebody else changed since, and what became of them. */
  readonly notes?: readonly string[];
  readonly totalMs?: number;
  /** Of it: units that were started and stopped, as systemd takes its time for them. */
  readonly unitsMs?: number;
  readonly containers?: Restarts;
}

/** Plain JSON: what `selvedge revert --json` prints. */
export interface RevertResult {
  /**
   * `unchanged`: nothing of ours was there. `partly`: some nodes could not be taken back, and the cloud's part was left for them.
   * `declined`: nobody agreed, or it was a dry run.
   */
  readonly outcome: 'done' | 'unchanged' | 'partly' | 'declined';
  readonly nodes: readonly RevertedNode[];
  /** Left: nodes need it, nodes alone were chosen, or it is out of reach. */
  readonly cloud: 'taken-back' | 'unchanged' | 'left';
}
