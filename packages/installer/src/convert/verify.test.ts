import { describe, expect, it } from 'vitest';
import { type PodSight, isAnyProxyPod } from '../cluster/index.ts';
import { type Verification, proxyLacks } from './verify.ts';

const pod = (uid: string, labels: PodSight['labels'], isReady = true): PodSight => ({
  namespace: 'kube-system',
  name: `kube-proxy-${uid}`,
  uid,
  labels,
  isReady,
  isDeleted: false,
  isOver: false,
  containers: [],
});
const argument = { kind: 'argument', inPod: true, kubeconfig: '/k' } as const;

describe.each([
  ['DaemonSet', { kind: 'daemonset' } as const, { 'k8s-app': 'kube-proxy' }],
  ['RKE2', argument, { component: 'kube-proxy' }],
])('the kube-proxy of a %s', (_of, kubeProxy, labels) => {
  const before = { containers: [], names: {}, unsteady: [], meant: ['old'] };
  const lacks = (...pods: readonly PodSight[]): readonly string[] => {
    const layout = { kubeProxy } as Verification['layout'];
    return proxyLacks({ layout, before }, pods);
  };

  it('must be Ready again', () => {
    expect(lacks(pod('old', labels))).toEqual(['kube-proxy is not Ready yet']);
    expect(lacks(pod('new', labels, false))).toEqual(['kube-proxy is not Ready yet']);
    expect(lacks(pod('new', labels))).toEqual([]);
  });

  it('is known when it starts again on the way back', () => {
    expect(isAnyProxyPod(pod('new', labels))).toBe(true);
    expect(isAnyProxyPod(pod('new', { app: 'till' }))).toBe(false);
  });
});
