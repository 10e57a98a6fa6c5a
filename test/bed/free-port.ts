import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Notes a port down in the run's folder. False: another file of the run has it. */
async function reserve(port: number): Promise<boolean> {
  const folder = join(tmpdir(), 'ports');
  await mkdir(folder, { recursive: true });
  const note = await open(join(folder, String(port)), 'wx').catch(() => undefined);
  await note?.close();
  return note !== undefined;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port);
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}

/**
 * A port that nothing listens on, for a program that cannot be told to take any. It is below those that the kernel gives to
 * clients (32,768 and up), and given once in a run, so that files that run at the same time do not meet.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(11_000, 30_000);
    if ((await reserve(port)) && (await isFree(port))) return port;
  }
}
