import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import type { NodeOptions } from '@selvedge/bed';
import { hasCode } from '@selvedge/kit';
import { type Quantity, compareQuantities, parseQuantity, resources } from '@selvedge/kube';
import type { Lease, Node, Pod } from '@selvedge/kube/types';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentLog, startByHand, stateFolder } from './support/edge-lite.ts';
import { containerStatus, isReady, pod, running } from './support/pods.ts';
import { useSite } from './support/site.ts';

const site = useSite();
/** It is stopped, forgotten and joined again, so it is a node of this file's own. */
const name = 'lite-life';
const options: NodeOptions = { name, agent: 'lite', labels: { 'selvedge.test/shelf': 'top' } };

beforeAll(() => site.bed.addNode(options));
afterAll(() => site.bed.removeNode(name));

const getNode = (): Promise<Node> => site.client.get(resources.nodes, { name }, { signal: site.signal });
const getLease = (): Promise<Lease> =>
  site.client.get(resources.leases, { namespace: 'kube-node-lease', name }, { signal: site.signal });

async function findNode(): Promise<Node | undefined> {
  return getNode().catch((error: unknown) => {
    if (hasCode(error, 'NotFound')) return undefined;
    throw error;
  });
}

async function steady(podName: string): Promise<Pod> {
  await site.create(resources.pods, pod({ name: podName, node: name, containers: [running()] }));
  return site.pod(podName, { what: 'it is ready' }, isReady);
}

async function reports(text: string): Promise<number> {
  return (await agentLog(site.bed, name)).filter((line) => line.text.includes(text)).length;
}

describe('a node that has joined by a token', () => {
  it('has the identity of a node, which the cluster has signed and nobody else can read', async () => {
    const file = join(stateFolder(site.bed, name), 'pki/client.pem');
    const certificate = new X509Certificate(await readFile(file));
    expect(certificate.subject).toBe(`O=system:nodes\nCN=system:node:${name}`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const { items } = await site.client.listAll(resources.certificateSigningRequests, {
      signal: site.signal,
    });
    const issued = items.filter(({ status }) => {
      const chain = Buffer.from(status?.certificate ?? '', 'base64').toString();
      return chain !== '' && new X509Certificate(chain).serialNumber === certificate.serialNumber;
    });
    expect(issued.map(({ spec }) => [spec.signerName, spec.username?.replace(/:[^:]*$/, '')])).toEqual([
      ['kubernetes.io/kube-apiserver-client-kubelet', 'system:bootstrap'],
    ]);
  });

  it('tells who and where it is as a kubelet does', async () => {
    const { metadata, status } = await getNode();
    expect(metadata.labels).toMatchObject({
      'beta.kubernetes.io/arch': 'amd64',
      'beta.kubernetes.io/os': 'linux',
      'kubernetes.io/arch': 'amd64',
      'kubernetes.io/hostname': name,
      'kubernetes.io/os': 'linux',
      'node.selvedge.io/version': expect.stringMatching(/^\d+\.\d+\.\d+/),
      'selvedge.test/shelf': 'top',
    });
    const { nodes } = await site.bed.status();
    expect(status?.addresses).toEqual([
      { type: 'InternalIP', address: nodes.find((one) => one.name === name)?.address },
      { type: 'Hostname', address: name },
    ]);
    expect(status?.nodeInfo).toMatchObject({
      architecture: 'amd64',
      bootID: (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim(),
      containerRuntimeVersion: expect.stringMatching(/^containerd:\/\/1\.6/),
      kernelVersion: release(),
      kubeletVersion: `v1.36.3+selvedge.${metadata.labels?.['node.selvedge.io/version']}`,
      operatingSystem: 'linux',
      osImage: expect.stringMatching(/./),
    });
  });

  it('offers what the machine has', async () => {
    const { status } = await getNode();
    expect(status?.capacity).toMatchObject({ cpu: String(cpus().length), pods: '110' });
    const [, kibibytes] = /MemTotal: +(\d+) kB/.exec(await readFile('/proc/meminfo', 'utf8')) ?? [];
    expect(status?.capacity?.['memory']).toBe(`${kibibytes}Ki`);
    for (const resource of ['cpu', 'memory', 'ephemeral-storage', 'pods']) {
      const amount = (of?: Readonly<Record<string, string>>): Quantity => parseQuantity(of?.[resource] ?? '');
      expect(compareQuantities(amount(status?.allocatable), amount(status?.capacity))).toBeLessThanOrEqual(0);
    }
  });

  it('reports its conditions', async () => {
    const { status } = await getNode();
    // The hub's own comes in its own time.
    const own = status?.conditions?.filter(({ type }) => !type.startsWith('selvedge.io/'));
    expect(own?.map(({ type, status: holds, reason }) => [type, holds, reason])).toEqual([
      ['MemoryPressure', 'False', 'KubeletHasSufficientMemory'],
      ['DiskPressure', 'False', 'KubeletHasNoDiskPressure'],
      ['PIDPressure', 'False', 'KubeletHasSufficientPID'],
      ['Ready', 'True', 'KubeletReady'],
    ]);
  });

  it('owns a Lease and renews it', async () => {
    const [{ metadata }, lease] = [await getNode(), await getLease()];
    expect(lease.metadata.ownerReferences).toEqual([
      { apiVersion: 'v1', kind: 'Node', name, uid: metadata.uid },
    ]);
    expect(lease.spec).toMatchObject({ holderIdentity: name, leaseDurationSeconds: 40 });
    const first = Date.parse(lease.spec?.renewTime ?? '');
    const next = await site.until({ what: 'the next renewal' }, async () => {
      const renewed = Date.parse((await getLease()).spec?.renewTime ?? '');
      return renewed > first && renewed;
    });
    expect(next - first).toBeGreaterThan(8_000);
  });
});

describe('SIGTERM', () => {
  it('ends edge-lite with exit code 0 and leaves containers and Node alone', async () => {
    await steady('left-alone');
    await site.bed.stopAgent(name);
    const agent = startByHand(site.bed, name);
    await steady('witness');
    const before = [(await getNode()).status, await site.bed.containers(name)];
    expect(await agent.end('SIGTERM')).toBe(0);
    expect([(await getNode()).status, await site.bed.containers(name)]).toEqual(before);
    const again = 'node was registered before';
    const heard = await reports(again);
    await site.bed.startAgent(name);
    await site.until({ what: 'edge-lite has found its Node' }, async () => (await reports(again)) > heard);
    expect(containerStatus(await site.get(resources.pods, 'left-alone'))?.restartCount).toBe(0);
  });
});

describe('a deleted Node', () => {
  const said = 'the Node was deleted';
  let uid: string | undefined;
  /** How often the log of a bed that was kept says so already. */
  let before: number;

  it('is told once; its containers stay', async () => {
    uid = (await getNode()).metadata.uid;
    before = await reports(said);
    const containers = await site.bed.containers(name);
    expect(containers.map(({ state }) => state)).toEqual(['running', 'running']);
    await site.client.delete(resources.nodes, { name }, { signal: site.signal });
    await site.until({ what: 'a line in the log' }, async () => (await reports(said)) > before);
    expect(await site.bed.containers(name)).toEqual(containers);
  });

  it('stays deleted, and its containers run on when the cluster gives up their pods', async () => {
    const containers = await site.bed.containers(name);
    const leftForGood = async (): Promise<boolean> => {
      const lines = await agentLog(site.bed, name);
      const left = lines.filter((line) => line.text.includes('pod left as it is') && line['api'] === 'gone');
      return containers.every(({ podUid }) => left.some((line) => line['pod'] === podUid));
    };
    // The pod garbage collector takes longer than the rounds in which the node might have come back.
    await site.until(
      { what: 'a line in the log for each pod that is gone', timeoutMs: 110_000 },
      leftForGood,
    );
    for (const podName of ['left-alone', 'witness']) {
      expect(await site.find(resources.pods, podName)).toBeUndefined();
    }
    expect(await site.bed.containers(name)).toEqual(containers);
    expect(await findNode()).toBeUndefined();
    expect(await reports(said)).toBe(before + 1);
  });

  it('is registered again after a restart, which ends what is gone', async () => {
    await site.bed.stopAgent(name);
    await site.bed.startAgent(name);
    const { metadata } = await getNode();
    expect(metadata.uid).not.toBe(uid);
    expect(metadata.labels).toMatchObject(options.labels ?? {});
    await site.until({ what: 'a Lease of the new Node' }, async () => {
      const [owner] = (await getLease()).metadata.ownerReferences ?? [];
      return owner?.uid === metadata.uid;
    });
    await site.until(
      { what: 'the end of the containers of pods that are gone' },
      async () => (await site.bed.sandboxes(name)).length === 0,
    );
    await steady('newcomer');
  });
});
