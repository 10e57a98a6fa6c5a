import type { KubeClient } from '@selvedge/kube';
import type { Artifacts } from '../artifacts/index.ts';
import type { CloudArtifacts, CloudOptions, CloudResult } from '../cloud/index.ts';
import type { MaxUnavailable, NodeChoice, Restarts } from '../cluster/index.ts';
import type { CommandContext } from '../command/index.ts';
import type { Hosts } from '../host/index.ts';

/** What a person chose for a conversion. */
export interface ConvertOptions extends NodeChoice {
  readonly cloud: CloudOptions;
  /** Nodes of one unit that are worked on at a time; units follow each other. Default one. */
  readonly maxUnavailable?: MaxUnavailable;
  /**
   * What becomes of the others when a node is refused or put back. `stop`: a refused one ends the command before its first
   * change, and after one that was put back no other is begun. `continue`: they go on. Default `stop`.
   */
  readonly onFailure?: 'stop' | 'continue';
  /** For one node, its checks included; then it is put back. Default 300,000. */
  readonly timeoutMs?: number;
  /** Where the hub listens on nodes. Default 10270. */
  readonly hubPort?: number;
}

export const convertDefaults = {
  maxUnavailable: { kind: 'count', count: 1 },
  onFailure: 'stop',
  timeoutMs: 300_000,
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
