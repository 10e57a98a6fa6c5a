/** A program and its arguments. */
export type Argv = readonly [string, ...string[]];

/** A program to run on a machine. No shell reads it: an argument reaches the program as it is. */
export interface HostCommand {
  readonly argv: Argv;
  /** The content of its stdin, which is then closed. Default: empty. */
  readonly stdin?: Uint8Array | string;
  /** The limit for stdout and for stderr, each, in bytes; a program that prints more is ended. Default 1 MiB. */
  readonly maxOutputBytes?: number;
  /** The time limit of the program, in milliseconds. Default 60,000. */
  readonly timeoutMs?: number;
}

/** How a program ended. */
export interface HostResult {
  /** The exit code of the program; 128 plus the number of the signal that ended it. */
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/**
 * A machine on which programs are run as root: this one, one behind SSH, one behind a Job. All of them behave alike
 * (one contract suite).
 */
export interface Host extends AsyncDisposable {
  /** The name of the machine, for messages. */
  readonly name: string;
  /**
   * Runs a program and waits for its end, whatever its exit code. Rejects with `Unavailable` if the machine or the way
   * to it is lost (whether the program ended is not known then), with `DeadlineExceeded`, with `ResourceExhausted` if it
   * prints too much, and with the signal's reason. In the last three cases the program was told to end.
   */
  run(command: HostCommand, signal?: AbortSignal): Promise<HostResult>;
}

/** Defaults of `HostCommand`. */
export const hostDefaults = { maxOutputBytes: 2 ** 20, timeoutMs: 60_000 } as const;
