import { chmod, mkdir, readFile, readdir, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureAssets } from '@selvedge/hack/setup';
import { systemClock } from '@selvedge/kit';
import { resources } from '@selvedge/kube';
import type { Node, NodeCondition } from '@selvedge/kube/types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureImages } from '../bed/images/index.ts';
import { type PrivateContainerd, createPrivateContainerd } from '../bed/node/private-containerd.ts';
import { waitFor } from '../bed/wait.ts';
import {
  type Cluster,
  type EdgeLite,
  type EdgeNode,
  createEdgeNode,
  startCluster,
  tokenText,
} from './edge-world.ts';

const signal = new AbortController().signal;
let cluster: Cluster;
let containerd: PrivateContainerd;

beforeAll(async () => {
  const { containerd: daemon, ctr, runc } = await ensureAssets({ binaries: ['containerd', 'ctr', 'runc'] });
  const images = await ensureImages({ names: ['pause'] });
  containerd = createPrivateContainerd(
    { version: '1.6', programs: { containerd: daemon, ctr, runc }, images },
    { clock: systemClock },
  );
  [cluster] = await Promise.all([startCluster(), containerd.start(signal)]);
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  await containerd.stop();
});

const ready = (node: Node | undefined): NodeCondition | undefined =>
  node?.status?.conditions?.find(({ type }) => type === 'Ready');

/** Waits until the Node's Ready condition has this reason. */
async function becomes(edge: EdgeNode, reason: string): Promise<Node> {
  return waitFor({ what: `Ready with reason ${reason}` }, systemClock, async () => {
    const node = await edge.node();
    return ready(node)?.reason === reason ? node : undefined;
  });
}

/** Runs edge-lite with the containerd of this file. */
const run = (edge: EdgeNode, env: Readonly<Record<string, string>> = {}): Promise<EdgeLite> =>
  edge.start({ runtime: { endpoint: containerd.endpoint } }, env);

async function newNode(name: string): Promise<EdgeNode> {
  const edge = await createEdgeNode(cluster, name);
  await edge.writeToken(tokenText(await cluster.createToken()));
  return edge;
}

const renewed = async (name: string): Promise<number> => {
  const at = { namespace: 'kube-node-lease', name };
  const lease = await cluster.admin.get(resources.leases, at, { signal });
  return Date.parse(lease.spec?.renewTime ?? '');
};

/** The addresses, as the kernel writes them, on which the process waits for connections. */
async function listening(pid: number): Promise<readonly string[]> {
  const fds = await readdir(`/proc/${pid}/fd`);
  const targets = await Promise.all(fds.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((table) => readFile(`/proc/${pid}/net/${table}`, 'utf8').catch(() => '')),
  );
  const rows = tables.flatMap((table) => table.split('\n').slice(1)).map((row) => row.trim().split(/\s+/));
  const open = rows.filter(
    ([, , , state, , , , , , inode]) => state === '0A' && targets.includes(`socket:[${inode ?? ''}]`),
  );
  return open.map(([, local]) => local?.split(':')[0] ?? '');
}

describe('a node with a container runtime', () => {
  test('is Ready, described as the kubelet does it, owns its Lease, and listens on loopback only', async () => {
    await using edge = await newNode('described');
    const agent = await run(edge);
    const node = await becomes(edge, 'KubeletReady');
    expect(node.metadata.labels).toMatchObject({
      'beta.kubernetes.io/os': 'linux',
      'kubernetes.io/arch': 'amd64',
      'kubernetes.io/hostname': 'described',
      'kubernetes.io/os': 'linux',
      'node.selvedge.io/version': expect.any(String),
    });
    expect(node.status?.nodeInfo).toMatchObject({
      architecture: 'amd64',
      containerRuntimeVersion: expect.stringMatching(/^containerd:\/\/.*1\.6\./),
      kubeletVersion: expect.stringMatching(/^v1\.36\.3\+selvedge\./),
      operatingSystem: 'linux',
      bootID: (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim(),
    });
    expect(node.status?.declaredFeatures ?? []).not.toContain('ExtendWebSocketsToKubelet');
    expect(node.status?.addresses).toContainEqual({ type: 'Hostname', address: 'described' });
    expect(node.status?.capacity).toMatchObject({ pods: '110', memory: expect.stringMatching(/^\d+Ki$/) });
    expect(node.status?.images?.flatMap(({ names }) => names)).toContainEqual(
      expect.stringContaining('pause'),
    );
    const lease = await waitFor({ what: 'the Lease' }, systemClock, async (inner) => {
      const at = { namespace: 'kube-node-lease', name: 'described' };
      return cluster.admin.get(resources.leases, at, { signal: inner });
    });
    expect(lease.metadata.ownerReferences?.[0]?.uid).toBe(node.metadata.uid);
    await agent.line('synced');
    expect(await listening(agent.pid)).toEqual(['0100007F', '00000000000000000000000001000000']);
  });

  test('loses and regains its readiness with the runtime', async () => {
    await using edge = await newNode('runtime');
    await run(edge);
    await becomes(edge, 'KubeletReady');
    containerd.kill();
    const down = await becomes(edge, 'KubeletNotReady');
    expect(ready(down)?.message).toContain('container runtime is down');
    await containerd.revive(signal);
    await becomes(edge, 'KubeletReady');
  });

  test('keeps Node and status over a restart', async () => {
    await using edge = await newNode('restarted');
    const first = await run(edge);
    const before = await becomes(edge, 'KubeletReady');
    first.signal('SIGTERM');
    expect(await first.exited).toBe(0);
    const after = await edge.node();
    expect(ready(after)?.status).toBe('True');
    const stoppedMs = Date.now();
    await run(edge);
    await waitFor(
      { what: 'a new renewal' },
      systemClock,
      async () => (await renewed('restarted')) > stoppedMs,
    );
    expect((await edge.node())?.metadata.uid).toBe(before.metadata.uid);
  });

  test('says that its machine shuts down', async () => {
    await using edge = await newNode('shutdown');
    const tools = join(edge.root, 'tools');
    await mkdir(tools);
    await writeFile(join(tools, 'systemctl'), '#!/bin/sh\necho stopping\nexit 1\n');
    await chmod(join(tools, 'systemctl'), 0o755);
    const agent = await run(edge, { PATH: `${tools}:${process.env['PATH'] ?? ''}` });
    await agent.line('synced');
    await becomes(edge, 'KubeletReady');
    agent.signal('SIGTERM');
    expect(await agent.exited).toBe(0);
    expect(ready(await edge.node())).toMatchObject({ status: 'False', reason: 'NodeShutdown' });
    await run(edge);
    await becomes(edge, 'KubeletReady');
  });

  test('whose Node is deleted says so once, and registers again after a restart only', async () => {
    await using edge = await newNode('deleted');
    const first = await run(edge);
    const before = await becomes(edge, 'KubeletReady');
    await cluster.admin.delete(resources.nodes, { name: 'deleted' }, { signal });
    await first.line('the Node was deleted; its containers stay until their pods are deleted too');
    first.signal('SIGTERM');
    await first.exited;
    expect(await edge.node()).toBeUndefined();
    expect(first.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    await run(edge);
    const after = await becomes(edge, 'KubeletReady');
    expect(after.metadata.uid).not.toBe(before.metadata.uid);
  });

  test('goes on when the API server comes back, and starts without it', async () => {
    await using edge = await newNode('cut-off');
    const first = await run(edge);
    await becomes(edge, 'KubeletReady');
    await first.line('synced');
    await cluster.controlPlane.stopApiServer('kill');
    first.signal('SIGTERM');
    expect(await first.exited).toBe(0);
    const second = await run(edge);
    await second.line('synced');
    const backMs = Date.now();
    await cluster.controlPlane.startApiServer(signal);
    await waitFor({ what: 'a new renewal' }, systemClock, async () => (await renewed('cut-off')) > backMs);
    await becomes(edge, 'KubeletReady');
  });
});
