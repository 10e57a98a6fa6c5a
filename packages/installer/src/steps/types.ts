import type { FileState } from '../files/index.ts';

/** One change of a machine. Paths are absolute, and of folders that are there when its turn comes. */
export type Step =
  | { readonly kind: 'folder'; readonly path: string; readonly mode: number }
  | FileStep
  /** A file that must not be there. */
  | { readonly kind: 'absent'; readonly path: string }
  /** systemd reads its units anew, whichever way the run goes. */
  | { readonly kind: 'reload' }
  /** A unit of ours, which runs, at boot too; back: it does not. */
  | { readonly kind: 'unit'; readonly name: string }
  /**
   * A unit that was there, and is started again. On the way forth `apply` steps count, which come after the files they
   * are about; on the way back `undo` steps, which come before them.
   */
  | { readonly kind: 'restart'; readonly name: string; readonly on: 'apply' | 'undo' };

export interface FileStep {
  readonly kind: 'file';
  readonly path: string;
  readonly mode: number;
  readonly content: string;
}

/** What was there before a step, as far as going back needs it. */
export type Before =
  | { readonly kind: 'nothing' }
  /** Made by somebody else: it stays. */
  | { readonly kind: 'folder' }
  | { readonly kind: 'file'; readonly file: FileState; readonly backup: string }
  | { readonly kind: 'unit'; readonly enabled: boolean; readonly active: boolean };
