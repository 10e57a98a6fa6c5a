/** A program to run on a machine. No shell reads it: an argument reaches the program as it is. */
export interface HostCommand {
  /** The program and its arguments. */
  readonly argv: readonly [string, ...string[]];
  /** What it reads on stdin, which ends then. Default: nothing. */
  readonly stdin?: Uint8Array | string;
  /** Bytes of stdout and of stderr that are borne, each; more ends the program. Default 1 MiB. */
  readonly maxOutputBytes?: number;
  /** Default 60,000. */
  readonly timeoutMs?: number;
}

export interface HostResult {
  /** Of the program; 128 and the number of the signal if one ended it. */
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/**
 * A machine on which programs are run as root: this one, one behind SSH, one behind a Job. All of them behave alike
 * (one contract suite).
 */
export interface Host extends AsyncDisposable {
  /** For people. */
  readonly name: string;
  /**
   * Runs a program and waits for its end, whatever its exit code. Rejects with `Unavailable` if the machine or the way
   * to it is lost (whether the program ended is not known then), with `DeadlineExceeded`, with `ResourceExhausted` if it
   * prints too much, and with the signal's reason. In the last three cases the program was told to end.
   */
  run(command: HostCommand, signal?: AbortSignal): Promise<HostResult>;
}

export const hostDefaults = { maxOutputBytes: 2 ** 20, timeoutMs: 60_000 } as const;
