import type { CommandResult } from '@selvedge/hack/setup';
import type { DaemonSpec } from '../process/daemon.ts';
import type { NodeFolders } from '../state/folders.ts';

/**
 * The machine under a node, real or played: a light node's namespaces, or a machine with systemd. What runs on it, a
 * kubelet or edge-lite, does not know which one it is.
 */
export interface NodeHost {
  readonly name: string;
  /** Where things are, as a program on the host sees them. */
  readonly folders: NodeFolders;
  /** The cgroup that its pods are below, absolute, as a program on the host sees it. */
  readonly cgroupRoot: string;
  /**
   * Powers on, and waits for the container runtime. Idempotent: repairs what a killed run left. The network namespace
   * is there by then. True if it booted, which has started its daemons too.
   */
  start(signal?: AbortSignal): Promise<boolean>;
  /** Keeps a program running on the host; one that was changed is restarted. */
  ensureDaemon(daemon: HostDaemon): Promise<boolean>;
  stopDaemon(name: string, graceMs?: number): Promise<void>;
  signalDaemon(name: string, signal: NodeJS.Signals): Promise<void>;
  /** That a daemon has ended and nobody starts it again, with the end of its log; undefined otherwise. */
  failure(name: string): Promise<string | undefined>;
  /** Runs a program to its end on the host; rejects if it fails. */
  exec(argv: readonly [string, ...string[]], signal?: AbortSignal): Promise<CommandResult>;
  /** Writes a file that the host's programs see at `path`. */
  writeFile(path: string, content: string, mode?: number): Promise<void>;
  /** The text of such a file, or undefined if there is none. */
  readIfThere(path: string): Promise<string | undefined>;
  /** Ends the programs in order, then as `powerCut`. */
  shutDown(signal?: AbortSignal): Promise<void>;
  /** Everything in memory is gone at once: processes, cgroups, interfaces, mounts. What is on disk stays. */
  powerCut(): Promise<void>;
  /** Powers off for good and removes the disk. */
  destroy(): Promise<void>;
}

/** A daemon of a node: where it runs is the host's business. */
export type HostDaemon = Omit<DaemonSpec, 'namespace' | 'mark'>;
