import {
  KeyValue,
  PodSandboxConfig,
  type ContainerConfig,
  Protocol,
  Signal,
  message,
} from '@selvedge/containerd-grpc-types';
import { describe, expect, it } from 'vitest';
import type { Container, PodSpec } from '@selvedge/kube/types';

import { containerWith, nodeFacts, podWith } from '../testing.ts';
import { podCgroup, qosCgroup } from './cgroup-name.ts';
import { containerConfig } from './container-config.ts';
import { cpuQuota, cpuShares, cpuWeight, sharesOfWeight } from './cpu.ts';
import { containerHash } from './hash.ts';
import type { NodeFacts } from './node-facts.ts';
import { references, volumeReferences } from './references.ts';
import { sandboxConfig } from './sandbox-config.ts';

function sandbox(spec: Partial<PodSpec> = {}): PodSandboxConfig {
  const pod = podWith(spec, { labels: { app: 'till' }, annotations: { note: 'x' } });
  return sandboxConfig({ pod, attempt: 2, node: nodeFacts() }).config;
}

function containerOf(
  more: Partial<Container> = {},
  node: Partial<NodeFacts> = {},
  spec: Partial<PodSpec> = {},
): ContainerConfig {
  const container = containerWith(more);
  const pod = podWith({ containers: [container], terminationGracePeriodSeconds: 30, ...spec });
  const image = { ref: 'sha256:abc', uid: undefined, username: '' };
  const env = [message(KeyValue, { key: 'WHO', value: Buffer.from('you') })];
  return containerConfig({ pod, container, restartCount: 3, image, env, mounts: [], node: nodeFacts(node) });
}

describe('a sandbox', () => {
  it('is marked, placed and logged as the kubelet does', () => {
    expect(sandbox()).toMatchObject({
      metadata: { name: 'web', namespace: 'shop', uid: 'uid-web', attempt: 2 },
      hostname: 'web',
      logDirectory: '/var/log/pods/shop_web_uid-web',
      labels: {
        app: 'till',
        'io.kubernetes.pod.name': 'web',
        'io.kubernetes.pod.namespace': 'shop',
        'io.kubernetes.pod.uid': 'uid-web',
      },
      annotations: { note: 'x' },
      linux: { cgroupParent: '/kubepods/besteffort/poduid-web' },
    });
  });

  it("has no name of its own on the node's network", () => {
    expect(sandbox({ hostNetwork: true }).hostname).toBe('');
  });

  it('maps the ports of its containers, each once', () => {
    const ports = [
      { containerPort: 80, hostPort: 8080 },
      { containerPort: 80, hostPort: 8080 },
      { containerPort: 80, hostPort: 8080, hostIP: '::1', protocol: 'UDP' },
      { name: 'web', containerPort: 81 },
      { name: 'web', containerPort: 82 },
    ];
    expect(sandbox({ containers: [containerWith({ ports })] }).portMappings).toEqual([
      { protocol: Protocol.TCP, containerPort: 80, hostPort: 8080, hostIp: '' },
      { protocol: Protocol.UDP, containerPort: 80, hostPort: 8080, hostIp: '::1' },
      { protocol: Protocol.TCP, containerPort: 81, hostPort: 0, hostIp: '' },
    ]);
  });

  it('passes sysctls on', () => {
    const sysctls = [{ name: 'net.ipv4.tcp_syncookies', value: '1' }];
    expect(sandbox({ securityContext: { sysctls } }).linux?.sysctls).toEqual({
      'net.ipv4.tcp_syncookies': '1',
    });
  });

  it('can be put on the wire', () => {
    const config = sandbox({
      containers: [containerWith({ resources: { limits: { cpu: '1', memory: '1Gi' } } })],
    });
    const decoded = PodSandboxConfig.decode(PodSandboxConfig.encode(config).finish());
    expect(decoded.linux?.resources?.memoryLimitInBytes).toBe(2n ** 30n);
  });
});

describe('a container', () => {
  it('is marked and logged as the kubelet does', () => {
    const lifecycle = { preStop: { exec: { command: ['bye'] } } };
    const config = containerOf({
      terminationMessagePath: '/dev/x',
      terminationMessagePolicy: 'File',
      lifecycle,
    });
    expect(config).toMatchObject({
      metadata: { name: 'main', attempt: 3 },
      image: { image: 'sha256:abc', userSpecifiedImage: 'busybox:1' },
      logPath: 'main/3.log',
      labels: { 'io.kubernetes.container.name': 'main', 'io.kubernetes.pod.uid': 'uid-web' },
      annotations: {
        'io.kubernetes.container.hash': containerHash(containerWith()),
        'io.kubernetes.container.restartCount': '3',
        'io.kubernetes.container.terminationMessagePath': '/dev/x',
        'io.kubernetes.container.terminationMessagePolicy': 'File',
        'io.kubernetes.pod.terminationGracePeriod': '30',
        'io.kubernetes.container.preStopHandler': '{"exec":{"command":["bye"]}}',
      },
    });
  });

  it('has its variables in command and arguments', () => {
    const { command, args } = containerOf({ command: ['echo', '$(WHO)'], args: ['$$(WHO)', '$(NOBODY)'] });
    expect([command, args]).toEqual([
      ['echo', 'you'],
      ['$(WHO)', '$(NOBODY)'],
    ]);
  });

  it.each([
    ['SIGUSR1', Signal.SIGUSR1],
    [undefined, Signal.RUNTIME_DEFAULT],
  ])('asked to stop by %s is stopped by %s', (signal, expected) => {
    expect(containerOf({ lifecycle: { stopSignal: signal } }).stopSignal).toBe(expected);
  });

  it('is limited on cgroup v1, swap included', () => {
    const resources = {
      requests: { cpu: '250m', memory: '64Mi' },
      limits: { cpu: '500m', memory: '128Mi', 'hugepages-2Mi': '4Mi' },
    };
    expect(containerOf({ resources }).linux?.resources).toMatchObject({
      cpuShares: 256n,
      cpuQuota: 50_000n,
      cpuPeriod: 100_000n,
      memoryLimitInBytes: 128n * 2n ** 20n,
      memorySwapLimitInBytes: 128n * 2n ** 20n,
      oomScoreAdj: 938n,
      hugepageLimits: [{ pageSize: '2MB', limit: 4n * 2n ** 20n }],
      unified: {},
    });
  });

  it('is limited on cgroup v2 by unified files', () => {
    const cgroup = { driver: 'cgroupfs', root: '/', version: 2 } as const;
    expect(containerOf({}, { cgroup }).linux?.resources).toMatchObject({
      memorySwapLimitInBytes: 0n,
      unified: { 'memory.oom.group': '1', 'memory.swap.max': '0' },
    });
    expect(containerOf({}, { cgroup, swapAccounting: false }).linux?.resources?.unified).toEqual({
      'memory.oom.group': '1',
    });
  });

  it('without a request weighs as much as its limit, without both least', () => {
    expect(containerOf({ resources: { limits: { cpu: '2' } } }).linux?.resources?.cpuShares).toBe(2048n);
    expect(containerOf().linux?.resources).toMatchObject({ cpuShares: 2n, cpuQuota: 0n });
  });

  it('may not use huge pages that it did not ask for', () => {
    expect(containerOf().linux?.resources?.hugepageLimits).toEqual([{ pageSize: '2MB', limit: 0n }]);
  });
});

describe('the hash of a container', () => {
  it('changes with the image and with nothing else that can change', () => {
    const hash = containerHash(containerWith());
    expect(hash).toBe('4b83ffd2');
    expect(containerHash(containerWith({ args: ['x'], env: [] }))).toBe(hash);
    expect(containerHash(containerWith({ image: 'busybox:2' }))).not.toBe(hash);
  });
});

describe('the cgroup', () => {
  const guaranteed = { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1', memory: '1Gi' } };
  const uid = 'ab-12';
  it.each([
    ['cgroupfs', '/', {}, '/kubepods/besteffort/podab-12'],
    ['cgroupfs', '/', { requests: { cpu: '1' } }, '/kubepods/burstable/podab-12'],
    ['cgroupfs', '/node/a', guaranteed, '/node/a/kubepods/podab-12'],
    [
      'systemd',
      '/',
      { requests: { cpu: '1' } },
      '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podab_12.slice',
    ],
    ['systemd', '/', guaranteed, '/kubepods.slice/kubepods-podab_12.slice'],
    [
      'systemd',
      '/edge',
      {},
      '/edge.slice/edge-kubepods.slice/edge-kubepods-besteffort.slice/edge-kubepods-besteffort-podab_12.slice',
    ],
  ] as const)('by %s below %s for %o is %s', (driver, root, resources, name) => {
    const pod = podWith({ containers: [containerWith({ resources })] }, { uid });
    expect(podCgroup(pod, { driver, root })).toBe(name);
  });

  it('of guaranteed pods lies beside the classes', () => {
    expect(qosCgroup('Guaranteed', { driver: 'cgroupfs', root: '/' })).toBe('/kubepods');
  });
});

describe('cpu', () => {
  it.each([
    [0n, 2n, 0n],
    [1n, 2n, 1000n],
    [100n, 102n, 10_000n],
    [1000n, 1024n, 100_000n],
    [1_000_000n, 262_144n, 100_000_000n],
  ])('of %s thousandths weighs %s and may take %s µs', (milli, shares, quota) => {
    expect([cpuShares(milli), cpuQuota(milli)]).toEqual([shares, quota]);
  });

  it.each([
    [2n, 1n],
    [1024n, 39n],
    [262_144n, 10_000n],
  ])('shares of %s are a weight of %s', (shares, weight) => {
    expect(cpuWeight(shares)).toBe(weight);
    expect(cpuWeight(sharesOfWeight(weight))).toBe(weight);
  });
});

describe('references', () => {
  it('are everything that the pod shows, sets and pulls with, each once', () => {
    const pod = podWith({
      imagePullSecrets: [{ name: 'pull' }, {}],
      volumes: [
        { name: 'a', configMap: { name: 'conf' } },
        { name: 'b', secret: { secretName: 'pass' } },
        {
          name: 'c',
          projected: { sources: [{ configMap: { name: 'kube-root-ca.crt' } }, { secret: { name: 'more' } }] },
        },
      ],
      initContainers: [
        containerWith({
          name: 'i',
          envFrom: [{ configMapRef: { name: 'env' } }, { secretRef: { name: 'pass' } }],
        }),
      ],
      containers: [
        containerWith({ env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'conf', key: 'k' } } }] }),
      ],
    });
    const text = references(pod).map(({ resource, namespace, name }) => `${resource}/${namespace}/${name}`);
    expect(text).toEqual([
      'configmaps/shop/conf',
      'configmaps/shop/kube-root-ca.crt',
      'configmaps/shop/env',
      'secrets/shop/pass',
      'secrets/shop/more',
      'secrets/shop/pull',
    ]);
    expect(volumeReferences(pod).map(({ name }) => name)).toEqual([
      'conf',
      'kube-root-ca.crt',
      'pass',
      'more',
    ]);
  });
});
