import type { FileState } from '../files/index.ts';
import type { LiteBefore, LiteStep } from './lite-types.ts';

/** One change of a machine. Paths are absolute, and of folders that are there when its turn comes. No secrets are in it. */
export type Step =
  | { readonly kind: 'folder'; readonly path: string; readonly mode: number }
  /**
   * A folder of ours; back: it goes with all that is in it. Nothing may be in it before. `shared`: other software puts files there
   * too; back, it stays as long as any is of a package that is installed.
   */
  | { readonly kind: 'tree'; readonly path: string; readonly mode: number; readonly shared?: boolean }
  | FileStep
  | EditStep
  | UploadStep
  | CopyStep
  /** Back, the folders get the time of their last change again: it tells of files that came and went. */
  | { readonly kind: 'times'; readonly paths: readonly string[] }
  /** systemd reads its units anew, whichever way the run goes. */
  | { readonly kind: 'reload' }
  /** A unit of ours, which runs, at boot too; back: it does not. Ends when the unit says that it is ready. */
  | { readonly kind: 'unit'; readonly name: string }
  /**
   * A unit that was there, and is started again. On the way forth `apply` steps count, which come after the files they
   * are about; on the way back `undo` steps, which come before them.
   */
  | { readonly kind: 'restart'; readonly name: string; readonly on: 'apply' | 'undo' }
  /** Waits for a file or a socket that `unit` makes, on the way forth. */
  | { readonly kind: 'await'; readonly path: string; readonly unit: string; readonly timeoutMs: number }
  | LeftoverStep
  | UserStep
  | LiteStep;

export interface FileStep {
  readonly kind: 'file';
  readonly path: string;
  readonly mode: number;
  readonly content: string;
}

/**
 * Changes parts of a text file that is there, and nothing else of it: mode and owner stay. Back, what somebody else changed in
 * it since stays too.
 */
export interface EditStep {
  readonly kind: 'edit';
  readonly path: string;
  /** Of the content that the changes are of. */
  readonly sha256: string;
  /** In the order of the file; they do not overlap. */
  readonly changes: readonly TextChange[];
  /**
   * What only a file with the changes in it has, however it was written anew: with none of them in it, somebody took the changes
   * back. Empty: nothing tells.
   */
  readonly marks: readonly string[];
}

/** `old`, which stands at `at`, becomes `new`. Secrets are in neither. */
export interface TextChange {
  /** Counted in UTF-16 code units from the start of the text. */
  readonly at: number;
  readonly old: string;
  readonly new: string;
}

/** A large file of ours, such as a program. */
export interface UploadStep {
  readonly kind: 'upload';
  readonly path: string;
  readonly mode: number;
  /** Its name among `ExecutorDeps.sources`. */
  readonly source: string;
  /** Of the content, hexadecimal: what has another is not put in place. */
  readonly sha256: string;
}

/** A file that is made of others on the same machine, one after the other, and that only root may read; back: it goes. */
export interface CopyStep {
  readonly kind: 'copy';
  readonly from: readonly CopySource[];
  readonly path: string;
  readonly mode: number;
}

export interface CopySource {
  readonly path: string;
  /** Not the whole file: what this field of a kubeconfig says, base64 decoded. It is there once. */
  readonly field?: 'client-certificate-data' | 'client-key-data';
}

/** What our programs make while they run, and leave when they are killed; back: it goes, if it was not there before. */
export interface LeftoverStep {
  readonly kind: 'leftover';
  /** An address of `lo`, `FAMILY NAME` of an nft table, a network interface, the path of a file. */
  readonly what: 'address' | 'table' | 'link' | 'file';
  readonly name: string;
}

/** A system user with a group of its own; back: it goes, and with it every trace in the files of users. One that is there stays. */
export interface UserStep {
  readonly kind: 'user';
  readonly name: string;
  readonly description: string;
}

/** What was there before a step, as far as going back needs it. */
export type Before =
  | { readonly kind: 'nothing' }
  /** Made by somebody else: it stays, with its permission bits where they are given. */
  | { readonly kind: 'folder'; readonly mode?: number }
  | { readonly kind: 'file'; readonly file: FileState; readonly backup: string }
  | {
      readonly kind: 'unit';
      readonly enabled: boolean;
      readonly active: boolean;
      readonly invocation: string;
    }
  /** The run of a unit that was going on. Empty: none. */
  | { readonly kind: 'invocation'; readonly id: string }
  /** Seconds since 1970 with nine decimals, of each folder that was there. */
  | { readonly kind: 'times'; readonly times: Readonly<Record<string, string>> }
  | { readonly kind: 'there' }
  /** The files of users, as they were before ours. */
  | {
      readonly kind: 'users';
      readonly files: readonly {
        readonly path: string;
        readonly before: Extract<Before, { kind: 'nothing' | 'file' }>;
      }[];
    }
  | LiteBefore;
