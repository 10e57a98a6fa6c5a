import type { Digests } from './types.ts';

/** Put in by the build of a release: `[["edge-lite_0.4.0_linux_amd64", "3f8d…"], …]`. */
declare const SELVEDGE_RELEASE: readonly (readonly [file: string, sha256: string])[] | undefined;

/**
 * What the files of the release are that this program is of: who can change the folder changes nothing by that. Undefined
 * for a program that was run from its sources.
 */
export const releasedDigests: Digests | undefined =
  typeof SELVEDGE_RELEASE === 'object' ? new Map(SELVEDGE_RELEASE) : undefined;
