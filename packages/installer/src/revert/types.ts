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

/** What `revert` works with: the cluster, the way to its machines, and the files of a release. */
export interface RevertDeps extends CommandContext {
  /** The client of the API server; with `offline` it is not used. */
  readonly cluster: KubeClient;
  readonly hosts: Hosts;
  /** The executable of cloud-manager, for the cloud side only. */
  readonly artifacts: CloudArtifacts;
}

/** The outcome of a revert for one node. */
export type RevertOutcome =
  | 'reverted'
  /** The node was not converted. */
  | 'unchanged'
  /** The revert failed: the journal on the machine tells how far it got. */
  | 'failed'
  /** The journal on the machine is damaged, so nothing was changed. */
  | 'damaged'
  /** Nothing was done, because of another node. */
  | 'not-begun';

/** The result of a revert for one node. Plain JSON. */
export interface RevertedNode {
  /** The name of its Node. */
  readonly node: string;
  readonly unit?: string;
  readonly outcome: RevertOutcome;
  /** True if the API server saw it Ready afterwards; false offline. */
  readonly verified?: boolean;
  /** The reason why the node was not reverted. */
  readonly reason?: string;
  readonly hint?: string;
  /** The readable part of a damaged journal, line by line. */
  readonly known?: readonly string[];
  /** Files that somebody else changed since, and what became of them. */
  readonly notes?: readonly string[];
  /** The whole revert of the node, in milliseconds. */
  readonly totalMs?: number;
  /** The part of `totalMs` in which systemd started and stopped units. */
  readonly unitsMs?: number;
  readonly containers?: Restarts;
}

/** The result of `revert`. Plain JSON: what `selvedge revert --json` prints. */
export interface RevertResult {
  /**
   * `unchanged`: there was nothing to revert. `partly`: some nodes could not be reverted, and the cloud side was left in place for
   * them. `declined`: the plan was not agreed to, or it was a dry run.
   */
  readonly outcome: 'done' | 'unchanged' | 'partly' | 'declined';
  readonly nodes: readonly RevertedNode[];
  /** What became of the cloud side. `left`: nodes still need it, nodes were chosen, or it is unreachable. */
  readonly cloud: 'reverted' | 'unchanged' | 'left';
  /** What stays of a reverted cloud side on control-plane machines that were removed from the cluster, why, and what helps. */
  readonly left?: readonly string[];
}
