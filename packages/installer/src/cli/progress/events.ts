import type { Plan } from '../../command/index.ts';
import type { Problem } from '../errors/index.ts';

/** A task of a command, by the titles from the outermost to it. */
export interface TaskRef {
  readonly id: number;
  /** Absent: it is of the command itself. */
  readonly parent?: number;
  readonly path: readonly [string, ...string[]];
}

/** What becomes of a task. `stopped`: by Ctrl-C. */
export type TaskChange =
  | { readonly kind: 'started' }
  | { readonly kind: 'noted'; readonly text: string }
  | { readonly kind: 'done' | 'failed' | 'stopped'; readonly durationMs: number };

/** What is told while a command runs. */
export type ProgressEvent =
  | { readonly kind: 'task'; readonly task: TaskRef; readonly change: TaskChange }
  | { readonly kind: 'said'; readonly text: string }
  | { readonly kind: 'planned'; readonly plan: Plan }
  | { readonly kind: 'problem'; readonly problem: Problem };

/** Where it is told. */
export interface Reporter {
  tell(event: ProgressEvent): void;
  /** Leaves the terminal to `work`, which asks somebody something. */
  aside<T>(work: () => Promise<T>): Promise<T>;
  /** Writes what is not written yet. */
  end(): Promise<void>;
}
