import { join } from 'node:path';
import type { Architecture } from '@selvedge/installer/release';
import type { Compression } from '../deb/index.ts';
import type { Program } from '../programs.ts';
import type { Progress } from '../setup/index.ts';

export interface BuildOptions {
  /** The root of the checkout that is built. */
  readonly repository: string;
  /** Where the files go; it is there, and holds none. */
  readonly folder: string;
  /** SemVer, of everything. */
  readonly version: string;
  /** Seconds since 1970: the time of all that has one. */
  readonly sourceDateEpoch: number;
  /** Static busyboxes. */
  readonly busybox: Readonly<Record<Architecture, string>>;
  /** Default: all. */
  readonly architectures?: readonly Architecture[];
  /** Of the Debian packages. Default `xz`. */
  readonly compression?: Compression;
  readonly signal?: AbortSignal | undefined;
}

export interface BuildDeps {
  readonly progress: Progress;
}

/** What the parts of a build share. */
export interface Build extends BuildOptions, BuildDeps {
  /** For what is not released itself. */
  readonly scratch: string;
}

export const bundleFile = ({ scratch }: Build, program: Program): string => join(scratch, `${program}.cjs`);
export const metafileOf = ({ scratch }: Build, program: Program): string => join(scratch, `${program}.json`);

/** `selvedge_0.4.0_linux_amd64`. */
export const executableName = (program: Program, { version }: BuildOptions, arch: Architecture): string =>
  `${program}_${version}_linux_${arch}`;
