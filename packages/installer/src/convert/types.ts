import type { KubeClient } from '@selvedge/kube';
import type { Artifacts } from '../artifacts/index.ts';
import type { CloudArtifacts, CloudOptions, CloudResult } from '../cloud/index.ts';
import { type Restarts, type WaveOptions, waveDefaults } from '../cluster/index.ts';
import type { CommandContext } from '../command/index.ts';
import type { ConversionOptions } from '../conversion/index.ts';
import type { Hosts } from '../host/index.ts';

/**
 * What a person chose for a conversion. A node fails when it is refused or put back, also because its time, checks included,
 * is over; with `stop`, the default, a refused one ends the command before its first change.
 */
export interface ConvertOptions extends WaveOptions, Pick<ConversionOptions, 'hubPort'> {
  readonly cloud: CloudOptions;
}

export const convertDefaults = {
  ...waveDefaults,
  onFailure: 'stop',
} as const satisfies Partial<ConvertOptions>;

export interface ConvertDeps extends CommandContext {
  readonly cluster: KubeClient;
  readonly hosts: Hosts;
  readonly artifacts: Pick<Artifacts, 'edgeLite'> & CloudArtifacts;
}

/** What became of a node. */
export type ConvertOutcome =
  | 'converted'
  /** It was an edge node before. */
  | 'unchanged'
  /** It failed, and is as it was. */
  | 'put-back'
  /** It failed, and could not be put back: its journal tells how far it is. */
  | 'failed'
  /** It cannot be converted; nothing of it was changed. */
  | 'refused'
  /** Nothing was done, because of another node or because nobody agreed. */
  | 'not-begun';

/** How long things took, in milliseconds. */
export interface NodeDurations {
  readonly totalMs: number;
  /** Of it: units that were started, as systemd takes its time for them. */
  readonly unitsMs: number;
  /** Of it: from the last step until the cloud saw all that it must see. */
  readonly seenMs: number;
}

/** Plain JSON. */
export interface ConvertedNode {
  readonly node: string;
  /** The EdgeUnit that it belongs to. */
  readonly unit?: string;
  /** `kubeadm`, `k3s agent`. */
  readonly layout?: string;
  readonly outcome: ConvertOutcome;
  /** Why, unless it was converted. */
  readonly because?: string;
  /** What a person can do about it. */
  readonly hint?: string;
  readonly durations?: NodeDurations;
  readonly containers?: Restarts;
}

/** Plain JSON: what `selvedge convert --json` prints. */
export interface ConvertResult {
  /**
   * `unchanged`: all was as it shall be. `partly`: some nodes are not edge nodes, and are as they were. `failed`: a node could not
   * be put back. `declined`: nobody agreed, or it was a dry run.
   */
  readonly outcome: 'done' | 'unchanged' | 'partly' | 'failed' | 'declined';
  readonly cloud?: CloudResult;
  readonly nodes: readonly ConvertedNode[];
}
