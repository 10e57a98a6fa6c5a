import type { Readable, Writable } from 'node:stream';
import type { Clock, Random } from '@selvedge/kit';

/** A stream that may be a terminal. */
export type Output = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

/** All that the command has of the process that it runs in. */
export interface CliHost {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Output;
  readonly stderr: Output;
  readonly clock: Clock;
  readonly random: Random;
  /** The version of this program. */
  readonly version: string;
  /** Where its executable is. */
  readonly programFolder: string;
  /** Who runs it. */
  readonly person: { readonly name: string; readonly home: string; readonly isRoot: boolean };
  /** The names and addresses of this machine. */
  readonly machine: { readonly name: string; readonly addresses: readonly string[] };
  /** Called at each SIGINT, SIGTERM and SIGHUP, until it is disposed. */
  onInterrupt(listener: () => void): Disposable;
  /** At once. */
  exit(code: number): never;
}

/** Somebody sits there, who can be asked and reads what is told. */
export const hasPerson = ({ stdin, stderr, env }: CliHost): boolean =>
  stdin.isTTY === true && stderr.isTTY === true && env['TERM'] !== 'dumb';
