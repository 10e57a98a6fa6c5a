import { statSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listenUnix } from './unix-socket.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'selvedge-unix-'));
  await chmod(folder, 0o755);
});
afterEach(() => rm(folder, { recursive: true }));

test('nobody else reaches the socket before its mode is set', async () => {
  const server = createServer();
  const modes: number[] = [];
  server.once('listening', () => {
    const address = server.address();
    if (typeof address === 'string') modes.push(statSync(dirname(address)).mode & 0o777);
  });
  const release = await listenUnix(server, join(folder, 'socket'), new AbortController().signal);
  expect(modes).toEqual([0o700]);
  expect(statSync(join(folder, 'socket')).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(['socket']);
  await release();
  server.close();
  expect(await readdir(folder)).toEqual([]);
});

test('a start that is given up leaves nothing', async () => {
  const server = createServer();
  const start = new AbortController();
  server.once('listening', () => start.abort(new Error('given up')));
  await expect(listenUnix(server, join(folder, 'socket'), start.signal)).rejects.toThrow('given up');
  expect(await readdir(folder)).toEqual([]);
  expect(server.listening).toBe(false);
});
