import type { CloudUndoPlan } from '../cloud/index.ts';
import type { ClusterClient } from '../cluster/index.ts';
import type { CommandContext, Progress } from '../command/index.ts';
import type { Hosts } from '../host/index.ts';

/** The cloud's part of a revert. */
export interface CloudUndo {
  plan(): Promise<CloudUndoPlan>;
  /** Tells what stays on machines that were removed from the cluster, for people. */
  undo(plan: CloudUndoPlan, progress: Progress): Promise<readonly string[]>;
}

export interface RevertEngineDeps extends CommandContext {
  /** With `offline` nothing is asked of it. */
  readonly cluster: ClusterClient;
  readonly hosts: Hosts;
  readonly cloud: CloudUndo;
  /** Where things are kept on machines. Default: that of `journalPlace`. */
  readonly folder?: string;
}
