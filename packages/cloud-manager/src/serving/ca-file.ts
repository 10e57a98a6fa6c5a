import type { Service } from '@selvedge/kit';
import { fileCredentials } from '@selvedge/kube';
import { type FollowFilesDeps, followFiles } from './follow-files.ts';

/** The authorities of clients as they are in their file now. */
export interface CaFile extends Service {
  /** PEM; undefined before the start. */
  readonly clientCa: string | undefined;
}

/** Reads the file at the start, which rejects when it cannot be used, and every minute, as `createPemFiles` does. */
export function createCaFile(file: string, deps: FollowFilesDeps): CaFile {
  const { clock, log } = deps;
  const onUnusable = (error: unknown): void =>
    log.error('authorities not replaced, the old ones stay in use', { file, error });
  const read = fileCredentials({ certificateAuthority: { file } }, { clock, onUnusable });
  let clientCa: string | undefined;
  const look = async (signal: AbortSignal): Promise<void> => {
    ({ certificateAuthority: clientCa } = await read(signal));
  };
  return {
    ...followFiles(`authorities ${file}`, look, deps),
    get clientCa() {
      return clientCa;
    },
  };
}
