import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemCode } from '@selvedge/kit';

/** Notes a port down in the run's folder. False: another file of the run has it. */
async function reserve(port: number): Promise<boolean> {
  const folder = join(tmpdir(), 'ports');
  await mkdir(folder, { recursive: true });
  try {
    await (await open(join(folder, String(port)), 'wx')).close();
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port);
  try {
    await once(server, 'listening');
  } catch (error) {
    if (systemCode(error) === 'EADDRINUSE') return false;
    throw error;
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
