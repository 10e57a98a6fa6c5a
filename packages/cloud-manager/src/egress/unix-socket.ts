import { once } from 'node:events';
import { chmod, rename, rm, stat } from 'node:fs/promises';
import type { Server } from 'node:net';
import { raceAbort } from '@selvedge/kit';

/**
 * Listens on a Unix socket that only the owner of this process may use, in place of whatever socket an earlier process
 * left or still serves there: that one keeps what it has. Gives the way to remove it, unless a later one took its place.
 */
export async function listenUnix(
  server: Server,
  path: string,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  const own = `${path}.${process.pid}`;
  await rm(own, { force: true });
  const listening = once(server, 'listening');
  server.listen({ path: own });
  await raceAbort(listening, signal);
  await chmod(own, 0o600);
  const { ino } = await stat(own);
  await rename(own, path);
  return async () => {
    const now = await stat(path).catch(() => undefined);
    if (now?.ino === ino) await rm(path, { force: true });
  };
}
