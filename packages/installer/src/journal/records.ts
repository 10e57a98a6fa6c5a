import type { Before, Step } from '../steps/types.ts';

/** One line of a journal: what is about to be done is written, and on the disk, before it is done. */
export type JournalRecord =
  | {
      readonly kind: 'begun';
      /** Tells runs apart. */
      readonly run: string;
      /** What the person asked for, for people. */
      readonly command: string;
      readonly version: string;
      /** RFC 3339. */
      readonly at: string;
      readonly steps: readonly Step[];
    }
  | { readonly kind: 'doing'; readonly step: number; readonly before: Before }
  | { readonly kind: 'did'; readonly step: number }
  | { readonly kind: 'undoing'; readonly step: number }
  | { readonly kind: 'undid'; readonly step: number }
  | { readonly kind: 'ended'; readonly as: 'done' | 'undone' };

/** How far one step is. */
export type StepProgress =
  | { readonly kind: 'todo' }
  | { readonly kind: 'doing' | 'done' | 'undoing'; readonly before: Before }
  | { readonly kind: 'undone' };

/** A run that was begun. */
export interface BegunRun {
  readonly kind: 'begun' | 'done' | 'undone';
  readonly run: string;
  readonly command: string;
  readonly steps: readonly { readonly step: Step; readonly progress: StepProgress }[];
}

/** Where a run is. */
export type RunState = { readonly kind: 'none' } | BegunRun;

/** What tells it from other runs; empty where none was begun. */
export const runId = (state: RunState): string => (state.kind === 'none' ? '' : state.run);
