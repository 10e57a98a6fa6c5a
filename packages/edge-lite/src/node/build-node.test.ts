import { describe, expect, test } from 'vitest';
import { type Facts, desiredStatus, newNode } from './build-node.ts';
import { conditions, runtimeGraceMs, stamped } from './conditions.ts';
import { createHostReader } from './host.ts';
import { goodRuntime, nodeOptions, smallHost } from './testing.ts';

const facts: Facts = {
  host: smallHost,
  runtime: goodRuntime,
  runtimeVersion: 'containerd://2.4.2',
  images: [],
  shuttingDown: false,
  kubeletPort: 10_250,
  nowMs: 1_000_000,
};
const ready = (input: Partial<Facts>): unknown =>
  conditions(smallHost, { ...facts, ...input }).find(({ type }) => type === 'Ready');

test('a Node registers with the labels of the kubelet, ours, and the configured labels and taints', () => {
  expect(newNode(nodeOptions, smallHost)).toEqual({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: 'shop-7',
      labels: {
        'beta.kubernetes.io/arch': 'arm64',
        'beta.kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'arm64',
        'kubernetes.io/hostname': 'shop-7',
        'kubernetes.io/os': 'linux',
        'node.selvedge.io/version': '1.2.3',
        site: 'north',
      },
    },
    spec: { taints: [{ key: 'edge', effect: 'NoSchedule' }] },
  });
});

test('capacity is the machine; allocatable leaves out what is reserved, the thresholds and huge pages', () => {
  const { capacity, allocatable } = desiredStatus(nodeOptions, facts);
  expect(capacity).toEqual({
    cpu: '4',
    'ephemeral-storage': '16777216Ki',
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '64Mi',
    memory: '2097152Ki',
    pods: '110',
  });
  expect(allocatable).toEqual({
    cpu: '3750m',
    'ephemeral-storage': '15461882265',
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '64Mi',
    memory: `${2_097_152 - 128 * 1024 - 100 * 1024 - 64 * 1024}Ki`,
    pods: '110',
  });
});

test('nothing allocatable is negative', () => {
  const reserved = { cpu: '8', memory: '8Gi' };
  expect(desiredStatus({ ...nodeOptions, reserved }, facts).allocatable).toMatchObject({
    cpu: '0',
    memory: '0Ki',
  });
});

test('the port of the kubelet API is told, once it is known', () => {
  expect(desiredStatus(nodeOptions, facts).daemonEndpoints).toEqual({ kubeletEndpoint: { Port: 10_250 } });
  expect(desiredStatus(nodeOptions, { ...facts, kubeletPort: undefined })).not.toHaveProperty(
    'daemonEndpoints',
  );
});

test('nothing is declared that the kubelet API does not have: WebSockets end at the API server', () => {
  // With `ExtendWebSocketsToKubelet` among them the API server would pass a client's WebSocket on as it is.
  expect(desiredStatus(nodeOptions, facts)).not.toHaveProperty('declaredFeatures');
});

test('the name by which clients in the cluster reach it is told, if there is one', () => {
  const { addresses } = desiredStatus({ ...nodeOptions, dnsName: 'shop-7.nodes.selvedge' }, facts);
  expect(addresses).toContainEqual({ type: 'InternalDNS', address: 'shop-7.nodes.selvedge' });
});

test('addresses, versions and ids are told', () => {
  const status = desiredStatus(nodeOptions, facts);
  expect(status.addresses).toEqual([
    { type: 'InternalIP', address: '10.0.0.7' },
    { type: 'Hostname', address: 'shop-7' },
  ]);
  expect(status.nodeInfo).toEqual({
    architecture: 'arm64',
    bootID: 'b1',
    containerRuntimeVersion: 'containerd://2.4.2',
    kernelVersion: '6.12.0',
    kubeProxyVersion: '',
    kubeletVersion: 'v1.36.3+selvedge.1.2.3',
    machineID: 'm1',
    operatingSystem: 'linux',
    osImage: 'Debian GNU/Linux 13 (trixie)',
    systemUUID: 'u1',
  });
  expect(desiredStatus({ ...nodeOptions, ip: '192.0.2.9' }, facts).addresses?.[0]?.address).toBe('192.0.2.9');
});

test('at most 50 images are listed', () => {
  const images = Array.from({ length: 60 }, (_, i) => ({ names: [`image-${i}`], sizeBytes: 60 - i }));
  expect(desiredStatus(nodeOptions, { ...facts, images }).images).toEqual(images.slice(0, 50));
});

describe('conditions', () => {
  test('on a machine with nothing wrong are the words of the kubelet', () => {
    expect(conditions(smallHost, facts)).toEqual([
      {
        type: 'MemoryPressure',
        status: 'False',
        reason: 'KubeletHasSufficientMemory',
        message: 'kubelet has sufficient memory available',
      },
      {
        type: 'DiskPressure',
        status: 'False',
        reason: 'KubeletHasNoDiskPressure',
        message: 'kubelet has no disk pressure',
      },
      {
        type: 'PIDPressure',
        status: 'False',
        reason: 'KubeletHasSufficientPID',
        message: 'kubelet has sufficient PID available',
      },
      { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' },
    ]);
  });

  test.each([
    ['MemoryPressure', { memoryAvailableBytes: 99 * 1024 ** 2 }],
    ['DiskPressure', { disk: { ...smallHost.disk, availableBytes: 1024 ** 3 } }],
    ['DiskPressure', { disk: { ...smallHost.disk, freeInodes: 10 } }],
    ['PIDPressure', { tasks: 32_000 }],
  ])('%s is told when the machine runs short: %j', (type, short) => {
    const shown = conditions({ ...smallHost, ...short }, facts).filter(({ status }) => status === 'True');
    expect(shown.map((condition) => condition.type)).toEqual([type, 'Ready']);
  });

  test('a file system without inodes is not short of them', () => {
    const disk = { ...smallHost.disk, inodes: 0, freeInodes: 0 };
    expect(conditions({ ...smallHost, disk }, facts)[1]?.status).toBe('False');
  });

  test('Ready follows the runtime, with its reason', () => {
    const down = { kind: 'down', sinceMs: facts.nowMs - runtimeGraceMs, error: 'ECONNREFUSED' } as const;
    expect(ready({ runtime: down })).toMatchObject({
      status: 'False',
      reason: 'KubeletNotReady',
      message: 'container runtime is down: ECONNREFUSED',
    });
    expect(ready({ runtime: { ...down, sinceMs: facts.nowMs - runtimeGraceMs + 1 } })).toMatchObject({
      status: 'True',
    });
    expect(ready({ runtime: { kind: 'unknown' } })).toMatchObject({ status: 'False' });
    const network = { ready: false, reason: 'NetworkPluginNotReady', message: 'cni plugin not initialized' };
    expect(ready({ runtime: { ...goodRuntime, network } })).toMatchObject({
      status: 'False',
      message:
        'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:cni plugin not initialized',
    });
  });

  test('a shutdown of the machine is the reason before all others', () => {
    expect(ready({ shuttingDown: true, runtime: { kind: 'unknown' } })).toMatchObject({
      status: 'False',
      reason: 'NodeShutdown',
    });
  });

  test('a transition is a change of status, a heartbeat is every time', () => {
    const [first] = stamped(conditions(smallHost, facts), [], 'T1');
    expect(first).toMatchObject({ lastTransitionTime: 'T1', lastHeartbeatTime: 'T1' });
    const shown = [{ ...first, type: 'MemoryPressure', status: 'False', reason: 'other' }];
    const [second] = stamped(conditions(smallHost, facts), shown, 'T2');
    expect(second).toMatchObject({ lastTransitionTime: 'T1', lastHeartbeatTime: 'T2' });
    const [third] = stamped(conditions({ ...smallHost, memoryAvailableBytes: 0 }, facts), shown, 'T3');
    expect(third).toMatchObject({ lastTransitionTime: 'T3', status: 'True' });
  });
});

test('this machine can be read', async () => {
  const host = await createHostReader('/')();
  expect(host.cpus).toBeGreaterThan(0);
  expect(host.memoryBytes).toBeGreaterThan(host.memoryAvailableBytes);
  expect(host.disk.totalBytes).toBeGreaterThan(0);
  expect(host.maxTasks).toBeGreaterThan(host.tasks);
  expect(host.bootId).toMatch(/^[0-9a-f-]{36}$/);
});
