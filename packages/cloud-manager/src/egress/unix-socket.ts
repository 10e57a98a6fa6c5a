import { once } from 'node:events';
import { chmod, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { raceAbort } from '@selvedge/kit';

/** Makes the socket under another name and gives it its own. Gives its inode. */
async function place(
  server: Server,
  { own, path }: { readonly own: string; readonly path: string },
  signal: AbortSignal,
): Promise<number> {
  try {
    const listening = once(server, 'listening');
    server.listen({ path: own });
    await raceAbort(listening, signal);
    await chmod(own, 0o600);
    const { ino } = await stat(own);
    signal.throwIfAborted();
    await rename(own, path);
    return ino;
  } catch (error) {
    server.close();
    throw error;
  }
}

/**
 * Listens on a Unix socket that only the owner of this process may use, in place of whatever socket an earlier process
 * left or still serves there: that one keeps what it has. Gives the way to remove it, unless a later one took its place.
 */
export async function listenUnix(
  server: Server,
  path: string,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  await using temporary = new AsyncDisposableStack();
  // Until its mode is set the socket is in a folder that nobody else enters.
  const folder = await mkdtemp(`${path}.`);
  temporary.defer(() => rm(folder, { recursive: true, force: true }));
  const ino = await place(server, { own: join(folder, 's'), path }, signal);
  return async () => {
    const now = await stat(path).catch(() => undefined);
    if (now?.ino === ino) await rm(path, { force: true });
  };
}
