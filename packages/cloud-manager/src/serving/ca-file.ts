import { type Service, createTaskGroup, jittered } from '@selvedge/kit';
import { fileCredentials } from '@selvedge/kube';
import { type PemFilesDeps, checkEveryMs } from './pem-files.ts';

/** The authorities of clients as they are in their file now. */
export interface CaFile extends Service {
  /** PEM; undefined before the start. */
  readonly clientCa: string | undefined;
}

/** Reads the file at the start, which rejects when it cannot be used, and every minute, as `createPemFiles` does. */
export function createCaFile(file: string, { clock, random, log }: PemFilesDeps): CaFile {
  const onUnusable = (error: unknown): void =>
    log.error('authorities not replaced, the old ones stay in use', { file, error });
  const read = fileCredentials({ certificateAuthority: { file } }, { clock, onUnusable });
  const name = `authorities ${file}`;
  const tasks = createTaskGroup(
    { name },
    { onFailure: (error) => log.error('watching files failed', { error }) },
  );
  let clientCa: string | undefined;
  const look = async (signal: AbortSignal): Promise<void> => {
    ({ certificateAuthority: clientCa } = await read(signal));
  };
  return {
    name,
    get clientCa() {
      return clientCa;
    },
    async start(signal) {
      await look(signal);
      tasks.run('look', async (inner) => {
        for (;;) {
          await clock.sleep(jittered(checkEveryMs, random), inner);
          await look(inner);
        }
      });
    },
    stop: () => tasks.stop(),
  };
}
