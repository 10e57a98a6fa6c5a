import type { KubeClient } from '@selvedge/kube';
import type { NodeChoice } from '../cluster/index.ts';
import type { CommandContext } from '../command/index.ts';
import type { Hosts } from '../host/index.ts';

/** What a person chose for the archive. */
export interface SupportDumpOptions {
  /** The nodes to collect from. Default: all. */
  readonly choice?: NodeChoice;
  /** How many of the last lines of each log are kept. Default 5,000. */
  readonly logLines?: number;
}

/** What `supportDump` works with. */
export interface SupportDumpDeps extends CommandContext {
  readonly cluster: KubeClient;
  /** The way to machines. Undefined: only what the API server tells is in the archive. */
  readonly hosts?: Hosts | undefined;
  /** Writes the archive to a new file that only its owner may read; resolves to its name. */
  readonly save: (archive: Uint8Array) => Promise<string>;
}

/** The result of `supportDump`. Plain JSON: what `selvedge support-dump --json` prints. */
export interface SupportDumpResult {
  readonly file: string;
  readonly bytes: number;
  readonly entries: readonly DumpedFile[];
  /** What is not in it, and why. */
  readonly missing: readonly MissingPart[];
}

export interface DumpedFile {
  readonly path: string;
  readonly bytes: number;
  /** Its beginning is not in it: it was too large. */
  readonly cut: boolean;
}

export interface MissingPart {
  readonly what: string;
  readonly why: string;
}

export const dumpDefaults = {
  logLines: 5_000,
  /** Of one file; its end is kept. */
  maxFileBytes: 2 * 2 ** 20,
  /** Of all together, before compression. */
  maxBytes: 128 * 2 ** 20,
} as const;
