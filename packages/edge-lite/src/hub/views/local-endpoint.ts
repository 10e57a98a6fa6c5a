import type { ObjectReference } from '@selvedge/kube/types';
import type { LocalPod } from '../facts/index.ts';
import type { ObjectName } from '../replica/types.ts';

/** What is known of this node, and of the others while the cloud is away. */
export interface Surroundings {
  readonly nodeName: string;
  /** A pod of this node, undefined if it has none of the name; `unknown` while its pods are not known as a whole. */
  readonly pod: (at: ObjectName) => LocalPod | undefined | 'unknown';
  /** Whether the Service wants to lead to pods that are not ready; undefined if it is not known. */
  readonly publishesNotReady: (service: ObjectName) => boolean | undefined;
  readonly isReachable: (nodeName: string) => boolean;
}

/** What both kinds of endpoint objects say of one endpoint. */
export interface EndpointOrigin {
  readonly nodeName?: string | undefined;
  readonly targetRef?: ObjectReference | undefined;
}

export interface EndpointState {
  /** Of both families. Empty: no news. */
  readonly addresses: readonly string[];
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
}

const gone: EndpointState = { addresses: [], ready: false, serving: false, terminating: false };

/** Source: `EndpointConditions` of `discovery.k8s.io/v1`. */
function stateOf({ addresses, ready, terminating }: LocalPod, publishesNotReady: boolean): EndpointState {
  if (addresses.length === 0) return gone;
  return { addresses, ready: publishesNotReady || (ready && !terminating), serving: ready, terminating };
}

export const isPod = ({ targetRef }: EndpointOrigin): boolean => targetRef?.kind === 'Pod';

const nameOf = ({ targetRef }: EndpointOrigin): ObjectName => ({
  namespace: targetRef?.namespace ?? '',
  name: targetRef?.name ?? '',
});

/** The pod behind an endpoint of this node; undefined if it is gone, `unknown` if the endpoint is another's. */
function podBehind(endpoint: EndpointOrigin, surroundings: Surroundings): LocalPod | undefined | 'unknown' {
  const { targetRef, nodeName } = endpoint;
  if (nodeName !== undefined && nodeName !== surroundings.nodeName) return 'unknown';
  const pod = surroundings.pod(nameOf(endpoint));
  if (pod === 'unknown' || pod === undefined) return nodeName === undefined ? 'unknown' : pod;
  return (targetRef?.uid ?? pod.uid) === pod.uid ? pod : undefined;
}

/** How an endpoint is as this node knows it; undefined for one that is not its own, or that somebody wrote by hand. */
export function localState(
  endpoint: EndpointOrigin,
  surroundings: Surroundings,
  publishesNotReady: boolean,
): EndpointState | undefined {
  const pod = isPod(endpoint) ? podBehind(endpoint, surroundings) : 'unknown';
  if (pod === 'unknown') return undefined;
  return pod?.alive === true ? stateOf(pod, publishesNotReady) : gone;
}

/** Whether the endpoint leads to a node of which nobody knows here whether it can be reached. */
export function isDoubtful(endpoint: EndpointOrigin, { isReachable }: Surroundings): boolean {
  return isPod(endpoint) && endpoint.nodeName !== undefined && !isReachable(endpoint.nodeName);
}
