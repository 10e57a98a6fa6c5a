import type { Clock, Random } from '@selvedge/kit';
import type { Plan } from './plan.ts';

/** Where a command tells how far it is: a live list, plain lines or documents, as the terminal is. */
export interface Progress {
  /** Shows a task while `work` runs, and how long it took. Tasks nest. Ends as `work` does. */
  task<T>(title: string, work: (progress: Progress) => Promise<T>): Promise<T>;
  /** What the task does or waits for just now. */
  note(text: string): void;
}

/** What every command is given. */
export interface CommandContext {
  readonly progress: Progress;
  /**
   * Shows a plan. True if it shall be done: `--yes` was given, or a person said so; false with `--dry-run` and after a no. Throws
   * `Invalid` if nobody can be asked.
   */
  readonly agree: (plan: Plan) => Promise<boolean>;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborted by Ctrl-C: what is begun is ended, and nothing else is begun. */
  readonly signal: AbortSignal;
  /** The version of this program. */
  readonly version: string;
}
