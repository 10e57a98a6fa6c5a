import { isDeepStrictEqual } from 'node:util';
import type { EndpointAddress, EndpointSubset, Endpoints } from '@selvedge/kube/types';
import { type Surroundings, isDoubtful, localState } from './local-endpoint.ts';

interface Placed {
  readonly address: EndpointAddress;
  readonly ready: boolean;
}

const placed = ({ addresses = [], notReadyAddresses = [] }: EndpointSubset): readonly Placed[] => [
  ...addresses.map((address) => ({ address, ready: true })),
  ...notReadyAddresses.map((address) => ({ address, ready: false })),
];

function withTruth(one: Placed, surroundings: Surroundings, publishes: boolean): Placed {
  const state = localState(one.address, surroundings, publishes);
  if (state === undefined) return one;
  const isV6 = one.address.ip.includes(':');
  const ip = state.addresses.find((address) => address.includes(':') === isV6);
  return ip === undefined
    ? { ...one, ready: false }
    : { address: { ...one.address, ip }, ready: state.ready };
}

/** Of one address that is ready for some ports and not for others the API server says so in two subsets. */
function subsetOf(subset: EndpointSubset, all: readonly Placed[]): EndpointSubset {
  const { addresses: _, notReadyAddresses: __, ...rest } = subset;
  const [ready, notReady] = [true, false].map((wanted) =>
    all.filter((one) => one.ready === wanted).map(({ address }) => address),
  );
  return {
    ...(ready?.length === 0 ? {} : { addresses: ready }),
    ...(notReady?.length === 0 ? {} : { notReadyAddresses: notReady }),
    ...rest,
  };
}

/** As for slices, in the older kind of object; it holds a Service's endpoints whole. */
export function endpointsTruth(endpoints: Endpoints, surroundings: Surroundings, hides: boolean): Endpoints {
  const { metadata, subsets = [] } = endpoints;
  const service = { namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
  const publishes = surroundings.publishesNotReady(service) ?? false;
  const known = subsets.map((subset) => placed(subset).map((one) => withTruth(one, surroundings, publishes)));
  const { isReachable } = surroundings;
  const isKept = known
    .flat()
    .some(({ address, ready }) => ready && address.nodeName !== undefined && isReachable(address.nodeName));
  const next = subsets.flatMap((subset, index) => {
    const all = known[index] ?? [];
    const kept = hides && isKept ? all.filter(({ address }) => !isDoubtful(address, surroundings)) : all;
    return kept.length === 0 ? [] : [subsetOf(subset, kept)];
  });
  return isDeepStrictEqual(next, subsets) ? endpoints : { ...endpoints, subsets: next };
}
