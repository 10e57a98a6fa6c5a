import type { CommandResult } from '@selvedge/hack/setup';
import type { Clock } from '@selvedge/kit';
import type { TarEntry } from '@selvedge/hack/image';
import type { Argv } from './doors.ts';

export interface MachineOptions {
  /** Its host name. */
  readonly name: string;
  /** The name of its network namespace. */
  readonly namespace: string;
  /** Its cgroup, relative to each hierarchy. Nobody else's. */
  readonly cgroup: string;
  /** Its disk, and nothing else. */
  readonly folder: string;
  /** The root that it is laid over; see `provideBaseRoot`. */
  readonly base: string;
  /** Absolute path of Node 24, which boots it. */
  readonly node: string;
  /** Folders that are not part of the overlay. Default: those of containerd, of the kubelet and of edge-lite. */
  readonly volumes?: readonly string[];
  /** Folders of the host that it may read, by where they are in the machine. */
  readonly programs?: Readonly<Record<string, string>>;
  /** Lines of `authorized_keys` for root. Default: none. */
  readonly authorizedKeys?: readonly string[];
  /** Added to the environment of its PID 1. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface MachineDeps {
  readonly clock: Clock;
  /** Makes its network namespace anew: at power-on no interface is there from before. */
  readonly renewNetwork: (signal?: AbortSignal) => Promise<void>;
}

export interface ExecOptions {
  /** Written to stdin, which is closed otherwise. */
  readonly input?: string | Uint8Array;
  readonly signal?: AbortSignal | undefined;
}

export interface UnitOptions {
  /** `agent.service`. */
  readonly name: string;
  /** Source: systemd.unit(5). */
  readonly text: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A Debian with systemd as PID 1 in namespaces of its own, on a disk of its own. Behaves as hardware does: what is in
 * memory is gone when the power is, what is on disk stays. It outlives this process.
 */
export interface Machine {
  readonly name: string;
  /** What the programs print before the journal runs. */
  readonly consoleFile: string;
  isOn(): Promise<boolean>;
  /** Boots, and waits until systemd says `running`; a failed unit is an error. If it is on, waits for its boot only. */
  powerOn(signal?: AbortSignal): Promise<void>;
  /** An orderly shutdown. Nothing happens if it is off. */
  powerOff(signal?: AbortSignal): Promise<void>;
  /** Pulls the plug. */
  powerCut(): Promise<void>;
  /** An orderly shutdown, then `powerOn`. */
  reboot(signal?: AbortSignal): Promise<void>;
  /** Pulls the plug and removes the disk. Safe for a machine that is half there or not at all. */
  remove(): Promise<void>;
  /** The path, on the host, of its root while it is on. For looking, by `lstat`: links below it lead into the host. */
  hostRoot(): Promise<string>;
  /** The argv, on the host, of a program in the machine, which must be on. For programs that want a terminal. */
  argv(argv: Argv): Promise<Argv>;
  /** Runs a program in the machine, on or off (then it sees the disk and nothing else). Rejects if it fails. */
  exec(argv: Argv, options?: ExecOptions): Promise<CommandResult>;
  /** The same, whatever the exit code. */
  execUnchecked(argv: Argv, options?: ExecOptions): Promise<CommandResult>;
  /** Writes files and folders, in this order, through the machine's own root. */
  writeFiles(entries: readonly TarEntry[], signal?: AbortSignal): Promise<void>;
  readFile(path: string, signal?: AbortSignal): Promise<string>;
  /** Writes a unit, or replaces it, and enables it. While the machine is on it is (re)started too. */
  installUnit(unit: UnitOptions): Promise<void>;
  /** The unit's log of all boots, `lines` of it (default 200). */
  logs(unit: string, lines?: number): Promise<string>;
  /** The public key of its SSH server. */
  sshHostKey(): Promise<string>;
}
