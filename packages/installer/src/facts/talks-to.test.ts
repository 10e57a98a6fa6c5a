import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock as clock } from '@selvedge/kit';
import { expect, it } from 'vitest';
import { type Host, createLocalHost } from '../host/index.ts';
import { talksTo } from './talks-to.ts';

const { signal } = new AbortController();
const unit = 'kubelet.service';

/** This machine, on which the unit's main process is that one. */
async function withMain(pid: number | undefined, work: (host: Host) => Promise<void>): Promise<void> {
  const bin = await mkdtemp(join(tmpdir(), 'selvedge-talk-'));
  await writeFile(join(bin, 'systemctl'), `#!/bin/sh\necho MainPID=${pid ?? 0}\n`, { mode: 0o755 });
  const local = createLocalHost({ clock });
  const path = `PATH=${bin}:${process.env['PATH'] ?? ''}`;
  const run: Host['run'] = (command, within) =>
    local.run({ ...command, argv: ['env', path, ...command.argv] }, within);
  try {
    await work({ ...local, run });
  } finally {
    await rm(bin, { recursive: true });
  }
}

it('a unit talks to a port if its main process, or one that this one started, has a connection to it', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const connect = `exec 3<> /dev/tcp/127.0.0.1/${port}; cat`;
  // As RKE2 starts its kubelet: the main process has no connection itself.
  const started = once(server, 'connection');
  const main = spawn('bash', ['-c', `bash -c '${connect}'; :`], { stdio: ['pipe', 'ignore', 'inherit'] });
  const [socket] = await started;
  const other = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
  try {
    await withMain(main.pid, async (host) => {
      expect(await talksTo(host, { unit, port }, signal)).toBe(true);
      expect(await talksTo(host, { unit, port: 1 }, signal)).toBe(false);
    });
    // Somebody has a connection, and it is not the unit.
    await withMain(other.pid, async (host) => {
      expect(await talksTo(host, { unit, port }, signal)).toBe(false);
    });
    await withMain(undefined, async (host) => {
      expect(await talksTo(host, { unit, port }, signal)).toBe(false);
    });
    // So is who listens there.
    await withMain(process.pid, async (host) => {
      main.stdin.end();
      await once(main, 'exit');
      expect(await talksTo(host, { unit, port }, signal)).toBe(false);
    });
  } finally {
    socket.destroy();
    main.stdin.end();
    other.stdin.end();
    server.close();
  }
});
