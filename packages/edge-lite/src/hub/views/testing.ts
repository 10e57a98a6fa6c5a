import type { KubeObject } from '@selvedge/kube';
import type { Endpoint, EndpointSlice } from '@selvedge/kube/types';
import type { LocalPod } from '../facts/index.ts';
import type { Surroundings } from './local-endpoint.ts';

export const localPod = (name: string, rest: Partial<LocalPod> = {}): LocalPod => ({
  namespace: 'shop',
  name,
  uid: `uid-${name}`,
  addresses: ['10.1.0.1', 'fd00::1'],
  ready: true,
  terminating: false,
  alive: true,
  hostNetwork: false,
  serviceAccount: 'default',
  containers: [],
  readsRootCa: true,
  ...rest,
});

export interface Around extends Partial<Surroundings> {
  readonly pods?: readonly LocalPod[];
}

/** The node `here` with these pods. */
export const around = ({ pods = [], ...rest }: Around = {}): Surroundings => ({
  nodeName: 'here',
  pod: (at) => pods.find(({ namespace, name }) => namespace === at.namespace && name === at.name),
  publishesNotReady: () => false,
  isReachable: (name) => name === 'here',
  ...rest,
});

/** An endpoint that leads to a pod. */
export const endpointOf = (pod: string, rest: Partial<Endpoint> = {}): Endpoint => ({
  addresses: ['10.1.0.1'],
  nodeName: 'here',
  targetRef: { kind: 'Pod', namespace: 'shop', name: pod, uid: `uid-${pod}` },
  conditions: { ready: true, serving: true, terminating: false },
  ...rest,
});

export const sliceOf = (
  endpoints: readonly Endpoint[],
  rest: Partial<EndpointSlice> = {},
): EndpointSlice & KubeObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { namespace: 'shop', name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  endpoints,
  ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
  ...rest,
});
