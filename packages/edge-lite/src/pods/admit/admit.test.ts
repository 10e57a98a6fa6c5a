import type { Container, Node, Pod, PodSpec } from '@selvedge/kube/types';
import { describe, expect, it } from 'vitest';

import { podOf } from '../plan/testing.ts';
import { type AdmissionContext, admit } from './admit.ts';

const node: Node = {
  metadata: { name: 'node', labels: { 'kubernetes.io/os': 'linux', zone: 'a', size: '3' } },
  status: { allocatable: { cpu: '2', memory: '1Gi', 'ephemeral-storage': '10Gi', pods: '110' } },
};

function judge(pod: Pod, more: Partial<AdmissionContext> = {}): string | undefined {
  const verdict = admit(pod, { node, others: [], maxPods: 3, ...more });
  return verdict === undefined ? undefined : `${verdict.reason}: ${verdict.message}`;
}

const withMain = (more: Partial<Container>): Pod => podOf({ containers: [{ name: 'main', ...more }] });
const asking = (requests: Record<string, string>): Pod => withMain({ resources: { requests } });
const volumes = (...sources: readonly object[]): Partial<PodSpec> => ({
  volumes: sources.map((source, index) => ({ name: `v${index}`, ...source })),
});

describe('a pod that uses what is not supported', () => {
  it.each<[string, Partial<PodSpec>]>([
    [
      'spec.volumes[1].persistentVolumeClaim',
      volumes({ emptyDir: {} }, { persistentVolumeClaim: { claimName: 'c' } }),
    ],
    ['spec.volumes[0].csi', volumes({ csi: { driver: 'd' } })],
    ['spec.volumes[0].image', volumes({ image: { reference: 'r' } })],
    ['spec.volumes[0].emptyDir.medium', volumes({ emptyDir: { medium: 'HugePages' } })],
    [
      'spec.volumes[0].projected.sources[1].clusterTrustBundle',
      volumes({ projected: { sources: [{ secret: {} }, { clusterTrustBundle: { path: 'p' } }] } }),
    ],
    ['spec.runtimeClassName', { runtimeClassName: 'gvisor' }],
    ['spec.resourceClaims', { resourceClaims: [{ name: 'gpu' }] }],
    ['spec.hostUsers', { hostUsers: false }],
    [
      'spec.containers[0].volumeDevices',
      { containers: [{ name: 'a', volumeDevices: [{ name: 'v', devicePath: '/d' }] }] },
    ],
    [
      'spec.containers[0].resources.limits[example.com/gpu]',
      { containers: [{ name: 'a', resources: { limits: { 'example.com/gpu': '1' } } }] },
    ],
    [
      'spec.initContainers[0].restartPolicyRules[0].action',
      { initContainers: [{ name: 'a', restartPolicyRules: [{ action: 'RestartAllContainers' }] }] },
    ],
    [
      'spec.containers[0].volumeMounts[0].recursiveReadOnly',
      {
        containers: [
          { name: 'a', volumeMounts: [{ name: 'v', mountPath: '/v', recursiveReadOnly: 'Enabled' }] },
        ],
      },
    ],
  ])('is refused for %s', (field, spec) => {
    expect(judge(podOf(spec))).toBe(`PodFeatureUnsupported: ${field} is not supported on this node`);
  });

  it('is told all of it at once', () => {
    expect(judge(podOf({ hostUsers: false, runtimeClassName: 'kata' }))).toBe(
      'PodFeatureUnsupported: spec.hostUsers, spec.runtimeClassName are not supported on this node',
    );
  });

  it('is taken in without it', () => {
    const supported = volumes(
      { emptyDir: { medium: 'Memory' } },
      { hostPath: { path: '/' } },
      { configMap: { name: 'c' } },
      { secret: { secretName: 's' } },
      { downwardAPI: {} },
      { projected: { sources: [{ serviceAccountToken: { path: 't' } }, { downwardAPI: {} }] } },
    );
    expect(
      judge(podOf({ ...supported, hostNetwork: true, hostPID: true, runtimeClassName: '' })),
    ).toBeUndefined();
  });
});

describe('a pod that asks for more than there is', () => {
  it('is refused for cpu, in thousandths of a core', () => {
    const others = [asking({ cpu: '1500m' })];
    expect(judge(asking({ cpu: '500m' }), { others })).toBeUndefined();
    expect(judge(asking({ cpu: '501m' }), { others })).toBe(
      "OutOfcpu: Node didn't have enough resource: cpu, requested: 501, used: 1500, capacity: 2000",
    );
  });

  it('is refused for memory and storage, in bytes', () => {
    expect(judge(asking({ memory: '2Gi' }))).toMatch(/^OutOfmemory: .* requested: 2147483648, used: 0/);
    expect(judge(asking({ 'ephemeral-storage': '11Gi' }))).toMatch(/^OutOfephemeral-storage: /);
  });

  it('is refused when the node is full of pods', () => {
    const others = [podOf(), podOf(), podOf()];
    expect(judge(podOf(), { others })).toBe(
      "OutOfpods: Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3",
    );
  });

  it('is taken in while the node is not known', () => {
    expect(judge(asking({ cpu: '1000' }), { node: undefined })).toBeUndefined();
  });
});

describe('a pod in the wrong place', () => {
  const affine = (...terms: readonly object[]): Pod =>
    podOf({
      affinity: {
        nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
      },
    });
  const expression = (key: string, operator: string, ...values: readonly string[]) => ({
    matchExpressions: [{ key, operator, values }],
  });
  const refused =
    "NodeAffinity: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector";

  it.each([
    ['a selector that fits', podOf({ nodeSelector: { zone: 'a' } }), undefined],
    ['a selector that does not', podOf({ nodeSelector: { zone: 'b' } }), refused],
    [
      'one of its terms that fits',
      affine(expression('zone', 'In', 'b'), expression('size', 'Gt', '2')),
      undefined,
    ],
    ['no term that fits', affine(expression('zone', 'NotIn', 'a'), expression('none', 'Exists')), refused],
    ['an empty term', affine({}), refused],
    [
      'the name of this node',
      affine({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['node'] }] }),
      undefined,
    ],
  ])('is judged by its node affinity: %s', (_, pod, wanted) => {
    expect(judge(pod)).toBe(wanted);
  });

  it.each([
    [{ hostPort: 80, containerPort: 80 }, false],
    [{ hostPort: 80, containerPort: 80, hostIP: '192.0.2.1' }, false],
    [{ hostPort: 80, containerPort: 80, protocol: 'UDP' }, true],
    [{ hostPort: 81, containerPort: 80 }, true],
    [{ containerPort: 80 }, true],
  ])('is refused if its host port is taken: %j', (port, free) => {
    const others = [withMain({ ports: [{ hostPort: 80, containerPort: 8080 }] })];
    const verdict = judge(withMain({ ports: [port] }), { others });
    expect(verdict?.startsWith('NodePorts: ') ?? true).toBe(true);
    expect(verdict === undefined).toBe(free);
  });

  it.each([
    [[], false],
    [[{ key: 'drain', operator: 'Exists' }], true],
    [[{ operator: 'Exists' }], true],
    [[{ key: 'drain', value: 'now', effect: 'NoExecute' }], true],
    [[{ key: 'drain', value: 'now', effect: 'NoSchedule' }], false],
  ])('is refused for a taint that evicts and that it does not tolerate: %j', (tolerations, borne) => {
    const tainted = { ...node, spec: { taints: [{ key: 'drain', value: 'now', effect: 'NoExecute' }] } };
    expect(judge(podOf({ tolerations }), { node: tainted }) === undefined).toBe(borne);
  });

  it('is refused for another operating system', () => {
    expect(judge(podOf({ os: { name: 'windows' } }))).toMatch(/^PodOSNotSupported: /);
    expect(judge(podOf({ nodeSelector: { 'kubernetes.io/os': 'windows' } }))).toMatch(/^PodOSSelector/);
  });
});
