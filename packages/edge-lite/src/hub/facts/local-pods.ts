import type { KubeObject } from '@selvedge/kube';
import type { Pod, PodStatus } from '@selvedge/kube/types';
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
  /** Milliseconds since the epoch. Undefined until a container of it has started. */
  readonly startedAtMs: number | undefined;
}

export interface LocalPods extends Disposable {
  get(at: ObjectName): LocalPod | undefined;
  values(): MapIterator<LocalPod>;
  /** The pod that has this address. */
  at(address: string): LocalPod | undefined;
}

/** When the first of its running containers was started. */
function startedAt({ containerStatuses = [] }: PodStatus): number | undefined {
  const times = containerStatuses.flatMap(({ state }) => {
    const at = Date.parse(state?.running?.startedAt ?? '');
    return Number.isNaN(at) ? [] : [at];
  });
  return times.length === 0 ? undefined : Math.min(...times);
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
    startedAtMs: startedAt(status),
  };
}

/** The pods of this node as they are shown: with what is known here and not upstream. */
export function createLocalPods(
  options: { readonly nodeName: string },
  deps: { readonly replica: Pick<Replica, 'reader'>; readonly changed: () => void },
): LocalPods {
  const reader = deps.replica.reader('v1/pods');
  const pick = (object: KubeObject): LocalPod | undefined => localPodOf(object, options.nodeName);
  const mirror: Mirror<LocalPod> = createMirror({ reader, pick }, deps.changed);
  return {
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
