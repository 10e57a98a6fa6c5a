import type { Bed } from '../bed.ts';
import type { BedDeps } from '../context.ts';
import type { Terminal } from './terminal.ts';

/** What the verbs work with. */
export interface Program {
  readonly deps: BedDeps;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  /** The person's shell. */
  readonly shell: string;
  /** The bed that `--bed` names. */
  bedName(): string;
  open(): Promise<Bed>;
  /** Sets the exit code. */
  exit(code: number): void;
}
