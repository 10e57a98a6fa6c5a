import type { Endpoint, EndpointSlice } from '@selvedge/kube/types';
import type { ObjectName } from '../replica/types.ts';
import { type EndpointState, type Surroundings, isDoubtful, isPod, localState } from './local-endpoint.ts';

const serviceLabel = 'kubernetes.io/service-name';

/** The Service of a slice. */
export function serviceOf({ metadata }: EndpointSlice): ObjectName | undefined {
  const name = metadata.labels?.[serviceLabel];
  return name === undefined ? undefined : { namespace: metadata.namespace ?? '', name };
}

/** The API server writes none at all as `null`. */
const endpointsOf = ({ endpoints }: EndpointSlice): readonly Endpoint[] => endpoints ?? [];

/** Of a slice that leaves out what it may. */
export function conditionsOf({ conditions = {} }: Endpoint): Omit<EndpointState, 'addresses'> {
  const ready = conditions.ready ?? true;
  return { ready, serving: conditions.serving ?? ready, terminating: conditions.terminating ?? false };
}

/** Only what publishes pods that are not ready says that one is ready and does not serve. */
const seemsToPublishNotReady = (slice: EndpointSlice): boolean =>
  endpointsOf(slice)
    .map(conditionsOf)
    .some(({ ready, serving }) => ready && !serving);

const isOf = (type: string, address: string): boolean => address.includes(':') === (type === 'IPv6');

function withState(endpoint: Endpoint, type: string, state: EndpointState): Endpoint {
  const found = state.addresses.filter((address) => isOf(type, address));
  const addresses = found.length === 0 ? endpoint.addresses : found;
  const lost = found.length === 0 ? { ready: false, serving: false } : {};
  const { addresses: _, ...known } = { ...state, ...lost };
  const before = conditionsOf(endpoint);
  const same =
    before.ready === known.ready &&
    before.serving === known.serving &&
    before.terminating === known.terminating &&
    addresses.join(' ') === endpoint.addresses.join(' ');
  return same ? endpoint : { ...endpoint, addresses, conditions: { ...endpoint.conditions, ...known } };
}

/** The slice with its endpoints on this node as this node knows them. */
export function withLocalTruth(slice: EndpointSlice, surroundings: Surroundings): EndpointSlice {
  const { addressType } = slice;
  const endpoints = endpointsOf(slice);
  const service = serviceOf(slice);
  if (service === undefined || addressType === 'FQDN') return slice;
  const publishes = surroundings.publishesNotReady(service) ?? seemsToPublishNotReady(slice);
  const next = endpoints.map((endpoint) => {
    const state = localState(endpoint, surroundings, publishes);
    return state === undefined ? endpoint : withState(endpoint, addressType, state);
  });
  const changed = next.some((endpoint, index) => endpoint !== endpoints[index]);
  return changed ? { ...slice, endpoints: next } : slice;
}

/** Nodes with a ready endpoint of the slice. */
export function readyNodes(slice: EndpointSlice): readonly string[] {
  return endpointsOf(slice).flatMap((endpoint) =>
    endpoint.nodeName !== undefined && conditionsOf(endpoint).ready ? [endpoint.nodeName] : [],
  );
}

/** The slice without what may be out of reach. */
export function withoutDoubtful(slice: EndpointSlice, surroundings: Surroundings): EndpointSlice {
  const endpoints = endpointsOf(slice);
  const kept = endpoints.filter((endpoint) => !isDoubtful(endpoint, surroundings));
  return kept.length === endpoints.length ? slice : { ...slice, endpoints: kept };
}

/** Neither ready nor ending: of its pod, or because nobody hears of its node. */
function isUnready(endpoint: Endpoint): boolean {
  const { ready, terminating } = conditionsOf(endpoint);
  return !ready && !terminating;
}

const keyOf = ({ targetRef, addresses }: Endpoint): string => [targetRef?.uid, ...addresses].join(' ');

/** The slice with endpoints of other nodes ready that were so `before` and have the same pod and address. */
export function withLastReady(slice: EndpointSlice, before: EndpointSlice, nodeName: string): EndpointSlice {
  const wasReady = new Set(
    endpointsOf(before)
      .filter((endpoint) => conditionsOf(endpoint).ready)
      .map(keyOf),
  );
  const isHeld = (endpoint: Endpoint): boolean =>
    isPod(endpoint) && endpoint.nodeName !== nodeName && isUnready(endpoint) && wasReady.has(keyOf(endpoint));
  const endpoints = endpointsOf(slice);
  if (!endpoints.some(isHeld)) return slice;
  const ready = { ready: true, serving: true, terminating: false };
  return {
    ...slice,
    endpoints: endpoints.map((one) =>
      isHeld(one) ? { ...one, conditions: { ...one.conditions, ...ready } } : one,
    ),
  };
}
