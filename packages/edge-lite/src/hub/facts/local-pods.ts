import type { KubeObject } from '@selvedge/kube';
import type { Pod, PodSpec, PodStatus } from '@selvedge/kube/types';
import type { ObjectName, Replica } from '../replica/types.ts';
import type { PodIdentity } from '../request.ts';
import { type Mirror, createMirror } from './mirror.ts';

/** What the hub must know of a pod of this node. */
export interface LocalPod extends PodIdentity {
  /** As the cluster writes them; none before the pod has a network. */
  readonly addresses: readonly string[];
  readonly ready: boolean;
  readonly terminating: boolean;
  /** Neither Succeeded nor Failed. */
  readonly alive: boolean;
  /** Shares the node's network: its addresses are not its own. */
  readonly hostNetwork: boolean;
  readonly serviceAccount: string;
  /** The ids of the containers that run, with those that run beside the others from the beginning on. */
  readonly containers: readonly string[];
  /** It mounts `kube-root-ca.crt`, as any pod does that talks to the API server and says nothing else. */
  readonly readsRootCa: boolean;
}

export interface LocalPods extends Disposable {
  /** The replica holds all pods of the node. */
  readonly complete: boolean;
  get(at: ObjectName): LocalPod | undefined;
  values(): MapIterator<LocalPod>;
  /** The pod that has this address. */
  at(address: string): LocalPod | undefined;
}

function runningContainers({ containerStatuses = [], initContainerStatuses = [] }: PodStatus): string[] {
  return [...initContainerStatuses, ...containerStatuses].flatMap(({ state, containerID = '' }) =>
    state?.running === undefined || containerID === '' ? [] : [containerID],
  );
}

const rootCa = 'kube-root-ca.crt';

function readsRootCa({ volumes = [] }: PodSpec): boolean {
  return volumes.some(
    ({ configMap, projected }) =>
      configMap?.name === rootCa || projected?.sources?.some((one) => one.configMap?.name === rootCa),
  );
}

const terminal: ReadonlySet<string | undefined> = new Set(['Succeeded', 'Failed']);

const identityOf = ({ namespace = '', name = '', uid = '' }: Pod['metadata']): PodIdentity => ({
  namespace,
  name,
  uid,
});

/**
 * The kubelet's own rule, from what only the kubelet and owners of gates write: `Ready` itself the cloud turns to False when
 * it does not hear from the node.
 */
function isReady({ spec, status }: Pod): boolean {
  const needed = ['ContainersReady', ...(spec?.readinessGates ?? []).map((gate) => gate.conditionType)];
  const isTrue = (wanted: string): boolean =>
    (status?.conditions ?? []).some((one) => one.type === wanted && one.status === 'True');
  return isTrue('Ready') || needed.every(isTrue);
}

/** Undefined for a pod of another node. */
export function localPodOf(object: KubeObject, nodeName: string): LocalPod | undefined {
  const { metadata, spec, status = {} } = object as Pod;
  if (spec?.nodeName !== nodeName) return undefined;
  return {
    ...identityOf(metadata),
    addresses: (status.podIPs ?? []).flatMap(({ ip }) => ip ?? []),
    ready: isReady(object),
    terminating: metadata.deletionTimestamp !== undefined,
    alive: !terminal.has(status.phase),
    hostNetwork: spec.hostNetwork === true,
    serviceAccount: spec.serviceAccountName ?? 'default',
    containers: runningContainers(status),
    readsRootCa: readsRootCa(spec),
  };
}

/** Whether all pods of the node are in a complete set. */
function holdsPods(replica: Pick<Replica, 'coverages'>, nodeName: string): boolean {
  return replica
    .coverages()
    .some(
      ({ resource, namespace, labelSelector, fieldSelector, synced }) =>
        resource === 'v1/pods' &&
        synced &&
        namespace === '' &&
        labelSelector === '' &&
        (fieldSelector === '' || fieldSelector === `spec.nodeName=${nodeName}`),
    );
}

/** The pods of this node as they are shown: with what is known here and not upstream. */
export function createLocalPods(
  options: { readonly nodeName: string },
  deps: { readonly replica: Pick<Replica, 'coverages' | 'reader'>; readonly changed: () => void },
): LocalPods {
  const reader = deps.replica.reader('v1/pods');
  const pick = (object: KubeObject): LocalPod | undefined => localPodOf(object, options.nodeName);
  const mirror: Mirror<LocalPod> = createMirror({ reader, pick }, deps.changed);
  return {
    get complete() {
      return holdsPods(deps.replica, options.nodeName);
    },
    get: (at) => mirror.get(at),
    values: () => mirror.values(),
    at(address) {
      for (const pod of mirror.values()) {
        if (pod.alive && !pod.hostNetwork && pod.addresses.includes(address)) return pod;
      }
      return undefined;
    },
    [Symbol.dispose]: () => mirror[Symbol.dispose](),
  };
}
