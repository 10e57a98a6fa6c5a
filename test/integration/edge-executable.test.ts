import { hash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleProgram } from '@selvedge/hack/programs';
import { provideEdgeLite } from '@selvedge/hack/release';
import { buildExecutable } from '@selvedge/hack/sea';
import { processSetup, run, runUnchecked } from '@selvedge/hack/setup';
import { systemClock } from '@selvedge/kit';
import { mergePatch, resources } from '@selvedge/kube';
import type { TunnelServer } from '@selvedge/tunnel/server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tuning } from '../../packages/edge-lite/src/tuning.ts';
import { waitFor } from '../bed/wait.ts';
import { bytesOf } from '../contract/read-api-client.ts';
import { type Target, TunnelWorld, ask, open, startEcho } from '../contract/tunnel-world.ts';
import type { EdgeLiteProgram } from './edge-world.ts';
import { type HubCluster, nodeName, startHubCluster } from './hub-cluster.ts';
import { type HubProcess, createHubProcess } from './hub-process.ts';

/** The single executable of edge-lite: on this processor, and by emulation on the other one. */
const { signal } = new AbortController();
const nodeAddress = '192.0.2.7';
const setup = processSetup();

/** By hand: nobody has told the kernel of this emulator, so the program cannot start itself anew. */
const emulated = (executable: string): EdgeLiteProgram => {
  const settings = ['SELVEDGE_TUNED=1', 'MALLOC_ARENA_MAX=1', 'UV_THREADPOOL_SIZE=2'];
  return ['env', ...settings, 'qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu', executable];
};

let folder: string;
let bundle: string;
let cluster: HubCluster;
let tunnels: TunnelWorld;
let server: TunnelServer;
let kubelet: Target;
const programs: Record<'bundle' | 'amd64' | 'arm64', EdgeLiteProgram> = {
  bundle: ['false'],
  amd64: ['false'],
  arm64: ['false'],
};

beforeAll(async () => {
  await setup.packages();
  folder = await mkdtemp(join(tmpdir(), 'executable-'));
  bundle = join(folder, 'edge-lite.cjs');
  await bundleProgram('edge-lite', bundle);
  programs.bundle = [process.execPath, bundle];
  programs.amd64 = [await provideEdgeLite('amd64', setup)];
  programs.arm64 = emulated(await provideEdgeLite('arm64', setup));
  [cluster, tunnels, kubelet] = await Promise.all([startHubCluster(), TunnelWorld.create(), startEcho()]);
  const status = {
    addresses: [{ type: 'InternalIP', address: nodeAddress }],
    daemonEndpoints: { kubeletEndpoint: { Port: kubelet.port } },
  };
  const patch = { patch: mergePatch({ status }), subresource: 'status', signal };
  await cluster.admin.patch(resources.nodes, { name: nodeName }, patch);
  const request = { commonName: 'tunnel', addresses: ['127.0.0.1'] };
  const { certificate, key: privateKey } = await cluster.issue(request);
  const credentials = { certificate, privateKey, certificateAuthority: cluster.controlPlane.ca };
  server = await tunnels.server({ credentials: () => credentials });
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  await tunnels[Symbol.asyncDispose]();
  await kubelet[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const until = (what: string, look: () => Promise<boolean>): Promise<true> =>
  waitFor({ what, everyMs: 50, timeoutMs: 120_000 }, systemClock, look);

async function startHub(program: EdgeLiteProgram): Promise<HubProcess> {
  const hub = await createHubProcess(cluster, {
    program,
    tunnel: { servers: [`127.0.0.1:${server.ports[0]}`] },
  });
  await hub.start();
  return hub;
}

/** The code of the answer to a GET of the node by its own kubelet. */
async function readNode(hub: HubProcess): Promise<number> {
  const api = hub.api(hub.kubelet);
  const answer = await api.send({ path: `/api/v1/nodes/${nodeName}`, signal });
  await bytesOf(answer);
  return answer.status;
}

/** What comes back from the kubelet, through the tunnel. */
const echo = (): Promise<string> =>
  open(server, `${nodeAddress}:${kubelet.port}`, nodeName).then(
    (stream) => ask(stream, 'hello'),
    (error: Error) => error.message,
  );

describe.each(['amd64', 'arm64'] as const)('the executable for %s', (arch) => {
  test('tells its version, and that a config is not there', async () => {
    const [program, ...args] = programs[arch];
    expect((await run({ argv: [program, ...args, '--version'] })).stdout).toMatch(/^edge-lite \d+\.\d+\.\d+/);
    const failed = await runUnchecked({ argv: [program, ...args, 'run', '--config', join(folder, 'none')] });
    expect(failed).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('ENOENT') });
  });

  test('runs hub and tunnel, from its disk while the cloud is away, and ends in order', async () => {
    await using hub = await startHub(programs[arch]);
    await until('the kubelet through the tunnel', async () => (await echo()) === 'hello');
    expect(await readNode(hub)).toBe(200);
    await hub.cut();
    await hub.stop('SIGKILL');
    await hub.start();
    expect(await readNode(hub)).toBe(200);
    await until('the kubelet through the tunnel again', async () => (await echo()) === 'hello');
    await hub.stop();
    expect(await hub.run.exited).toBe(0);
  });
});

describe('the executable', () => {
  /** Anonymous memory of a process, in MiB. Source: proc_pid_status(5). */
  async function anonymousMib(pid: number): Promise<number> {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
  }

  async function memoryOf(program: EdgeLiteProgram): Promise<number> {
    await using hub = await startHub(program);
    await until('the kubelet through the tunnel', async () => (await echo()) === 'hello');
    for (let reads = 0; reads < 20; reads += 1) await readNode(hub);
    return await anonymousMib(hub.run.pid);
  }

  test('takes no more memory than the bundle with the same settings', async () => {
    const [bundled, single] = [await memoryOf(programs.bundle), await memoryOf(programs.amd64)];
    expect(bundled).toBeGreaterThan(5);
    // Without the settings it takes half as much again.
    expect(single).toBeLessThan(bundled + 4);
  });

  test('is the same when it is made again', async () => {
    const outfile = join(folder, 'edge-lite');
    await buildExecutable({ bundle, arch: 'amd64', outfile, flags: tuning.flags });
    const digest = async (file: string): Promise<string> => hash('sha256', await readFile(file));
    expect(await digest(outfile)).toBe(await digest(programs.amd64[0]));
  });
});
