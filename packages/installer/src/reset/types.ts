import type { KubeClient } from '@selvedge/kube';
import type { CommandContext } from '../command/index.ts';
import type { Hosts, Machine } from '../host/index.ts';

/** What a person chose for a reset. */
export interface ResetOptions {
  /** The machine, as in `JoinOptions`. */
  readonly machine: Machine;
  /** Images that were pulled since the join stay. Default false: those go; what was there before stays in any case. */
  readonly keepImages?: boolean;
}

/** What `reset` works with. */
export interface ResetDeps extends CommandContext {
  readonly hosts: Hosts;
  /** Deletes the Node, as somebody who may. Undefined: the command for it is told. */
  readonly cluster?: Pick<KubeClient, 'get' | 'delete' | 'patch'> | undefined;
}

/** The result of `reset`. Plain JSON: what `selvedge reset --json` prints. */
export interface ResetResult {
  /** `unchanged`: there was nothing of a join. `declined`: nobody agreed, or it was a dry run. */
  readonly outcome: 'reset' | 'unchanged' | 'declined';
  /** Undefined with `unchanged`. */
  readonly node?: string;
  /** What became of the Node in the cloud. */
  readonly nodeObject?: 'deleted' | 'left';
  readonly totalMs?: number;
  /** What a person should know, or do. */
  readonly warnings: readonly string[];
}
