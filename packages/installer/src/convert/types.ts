import type { KubeClient } from '@selvedge/kube';
import type { Artifacts } from '../artifacts/index.ts';
import type { CloudArtifacts, CloudOptions, CloudResult } from '../cloud/index.ts';
import { type Restarts, type WaveOptions, waveDefaults } from '../cluster/index.ts';
import type { CommandContext } from '../command/index.ts';
import type { ConversionOptions } from '../node-plan/index.ts';
import type { Hosts } from '../host/index.ts';

/**
 * What a person chose for a conversion. A node fails when it is refused or put back, also because its time, checks included and
 * the upload not, is over; with `stop`, the default, a refused one ends the command before its first change.
 */
export interface ConvertOptions extends WaveOptions, Pick<ConversionOptions, 'hubPort'> {
  readonly cloud: CloudOptions;
}

export const convertDefaults = {
  ...waveDefaults,
  onFailure: 'stop',
} as const satisfies Partial<ConvertOptions>;

/** What `convert` works with: the cluster, the way to its machines, and the files that it installs. */
export interface ConvertDeps extends CommandContext {
  readonly cluster: KubeClient;
  readonly hosts: Hosts;
  /** The executables of a release; cloud-manager's is read for the unit only. */
  readonly artifacts: Pick<Artifacts, 'edgeLite'> & CloudArtifacts;
}

/** The outcome of a conversion for one node. */
export type ConvertOutcome =
  | 'converted'
  /** The node was an edge node before. */
  | 'unchanged'
  /** The conversion failed, and the node was rolled back to its original state. */
  | 'rolled-back'
  /** The upload of the executable broke off. Nothing else was changed; what arrived is kept, and the next run resumes it. */
  | 'interrupted'
  /** The conversion failed, and so did the rollback: the journal on the machine tells how far it got. */
  | 'failed'
  /** The node cannot be converted; nothing on it was changed. */
  | 'refused'
  /** Nothing was done, because of another node or because nobody agreed. */
  | 'not-begun';

/** How long the conversion of a node took, in milliseconds. */
export interface NodeDurations {
  /** From the first step, uploads included, to the end of the verification. */
  readonly totalMs: number;
  /** The part of `totalMs` in which systemd started units. */
  readonly unitsMs: number;
  /** The part of `totalMs` from the last step until the verification from the cloud succeeded. */
  readonly seenMs: number;
}

/** The result of a conversion for one node. Plain JSON. */
export interface ConvertedNode {
  /** The name of its Node. */
  readonly node: string;
  /** The EdgeUnit that the node is a member of. */
  readonly unit?: string;
  /** The recognized layout of its machine: `kubeadm`, `k3s agent`. */
  readonly layout?: string;
  readonly outcome: ConvertOutcome;
  /** The reason for the outcome, unless the node was converted. */
  readonly reason?: string;
  /** What a person can do about it. */
  readonly hint?: string;
  readonly durations?: NodeDurations;
  /** What became of the containers that ran before. */
  readonly containers?: Restarts;
}

/** The result of `convert`. Plain JSON: what `selvedge convert --json` prints. */
export interface ConvertResult {
  /**
   * `unchanged`: there was nothing to do. `partly`: some nodes are not edge nodes, and are in their original state but for an interrupted upload. `failed`: a
   * node could not be rolled back. `declined`: the plan was not agreed to, or it was a dry run.
   */
  readonly outcome: 'done' | 'unchanged' | 'partly' | 'failed' | 'declined';
  readonly cloud?: CloudResult;
  readonly nodes: readonly ConvertedNode[];
}
