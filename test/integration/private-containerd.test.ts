import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import {
  ContainerConfig,
  ContainerMetadata,
  ImageSpec,
  LinuxPodSandboxConfig,
  PodSandboxConfig,
  RuntimeServiceDefinition,
  createClient,
  message,
} from '@selvedge/containerd-grpc-types';
import { createHttp2Transport } from '@selvedge/containerd-grpc-types/client';
import { ensureAssets } from '@selvedge/hack/setup';
import { silentLogger, systemClock } from '@selvedge/kit';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { cgroupFolders } from '../bed/host/cgroups.ts';
import { mountsBelow } from '../bed/host/mounts.ts';
import { ensureImages, imageRefs } from '../bed/images/index.ts';
import { type PrivateContainerdOptions, createPrivateContainerd } from '../bed/node/private-containerd.ts';
import { findProcesses } from '../bed/process/sweep.ts';

/** An owner that starts a containerd and then does nothing. */
const ownerProgram = `
  const [, modulePath, options] = process.argv;
  const { createPrivateContainerd } = await import(modulePath);
  const { systemClock } = await import('@selvedge/kit');
  const containerd = createPrivateContainerd(JSON.parse(options), { clock: systemClock });
  await containerd.start(new AbortController().signal);
  process.stdout.write(JSON.stringify({ endpoint: containerd.endpoint, cgroup: containerd.cgroup }));
  process.stdin.resume();
`;

interface Place {
  readonly endpoint: string;
  readonly cgroup: string;
}

const signal = new AbortController().signal;
const soon = { signal, deadlineMs: 20_000 };
const folderOf = (place: Place): string => join(place.endpoint.slice('unix://'.length), '..');
const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Starts one container that would run for an hour. */
async function runContainer(place: Place): Promise<void> {
  const transport = createHttp2Transport(
    { endpoint: place.endpoint },
    { clock: systemClock, random: Math.random, log: silentLogger },
  );
  const runtime = createClient(RuntimeServiceDefinition, transport);
  const sandbox = message(PodSandboxConfig, {
    metadata: { name: 'left', uid: 'left', namespace: 'default', attempt: 0 },
    linux: message(LinuxPodSandboxConfig, { cgroupParent: `${place.cgroup}/left` }),
  });
  const config = message(ContainerConfig, {
    metadata: message(ContainerMetadata, { name: 'main' }),
    image: message(ImageSpec, { image: imageRefs.busybox }),
    command: ['sleep', '3600'],
  });
  const { podSandboxId } = await runtime.runPodSandbox({ config: sandbox, runtimeHandler: '' }, soon);
  const created = await runtime.createContainer({ podSandboxId, config, sandboxConfig: sandbox }, soon);
  await runtime.startContainer(created, soon);
  await transport.close();
}

/** The processes of containers, of shims and of the daemon. */
async function processesOf(place: Place): Promise<number> {
  const inCgroup = await findProcesses({ namespaces: [], cgroup: place.cgroup.slice(1) });
  const sockets = (await readFile('/proc/net/unix', 'utf8')).split('\n');
  return inCgroup.length + sockets.filter((line) => line.includes(folderOf(place))).length;
}

describe('a private containerd', () => {
  let options: PrivateContainerdOptions;
  let owner: ChildProcessByStdio<Writable, Readable, null> | undefined;

  beforeAll(async () => {
    const { containerd, ctr, runc } = await ensureAssets({ binaries: ['containerd', 'ctr', 'runc'] });
    const images = await ensureImages({ names: ['pause', 'busybox'] });
    options = { version: '1.6', programs: { containerd, ctr, runc }, images };
  });
  afterEach(() => owner?.kill('SIGKILL'));

  it('leaves nothing behind when it is stopped with a container running', async () => {
    const containerd = createPrivateContainerd(options, { clock: systemClock });
    await containerd.start(signal);
    const place = { endpoint: containerd.endpoint, cgroup: containerd.cgroup };
    await runContainer(place);
    expect(await processesOf(place)).toBeGreaterThan(0);
    expect(await mountsBelow(folderOf(place))).toEqual([]);
    await containerd.stop();
    await containerd.stop();
    expect(await processesOf(place)).toBe(0);
    expect(await cgroupFolders(place.cgroup)).toEqual([]);
    expect(await exists(folderOf(place))).toBe(false);
  });

  it('dies with its owner', async () => {
    const modulePath = join(import.meta.dirname, '../bed/node/private-containerd.ts');
    const argv = ['--input-type=module', '-e', ownerProgram, modulePath, JSON.stringify(options)];
    owner = spawn(process.execPath, argv, {
      cwd: join(import.meta.dirname, '..'),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [said] = (await once(owner.stdout, 'data')) as [Buffer];
    const place = JSON.parse(said.toString()) as Place;
    await runContainer(place);
    expect(await processesOf(place)).toBeGreaterThan(0);
    owner.kill('SIGKILL');
    await expect.poll(() => processesOf(place)).toBe(0);
  });

  it('says what the daemon said when it does not start', async () => {
    const programs = { ...options.programs, containerd: options.programs.ctr };
    const broken = createPrivateContainerd(
      { ...options, programs, startTimeoutMs: 500 },
      { clock: systemClock },
    );
    await expect(broken.start(signal)).rejects.toThrow(/does not answer: [^]*flag provided but not defined/);
    await broken.stop();
  });
});
