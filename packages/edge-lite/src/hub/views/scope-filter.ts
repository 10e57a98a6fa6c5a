import type { EndpointSlice, EndpointSubset, Endpoints } from '@selvedge/kube/types';
import { conditionsOf } from './slice-truth.ts';

/** Whether traffic may go to a node; undefined: nobody knows which node it is. */
export type IsInside = (nodeName: string | undefined) => boolean;

/** The slice with only the endpoints inside. */
export function onlyInside(slice: EndpointSlice, isInside: IsInside): EndpointSlice {
  const { endpoints } = slice;
  const kept = endpoints?.filter(({ nodeName }) => isInside(nodeName));
  return kept?.length === endpoints?.length ? slice : { ...slice, endpoints: kept ?? [] };
}

export const hasReadyInside = ({ endpoints }: EndpointSlice, isInside: IsInside): boolean =>
  (endpoints ?? []).some((one) => conditionsOf(one).ready && isInside(one.nodeName));

function subsetInside(subset: EndpointSubset, isInside: IsInside): readonly EndpointSubset[] {
  const { addresses = [], notReadyAddresses = [], ...rest } = subset;
  const ready = addresses.filter(({ nodeName }) => isInside(nodeName));
  const notReady = notReadyAddresses.filter(({ nodeName }) => isInside(nodeName));
  if (ready.length + notReady.length === 0) return [];
  return [
    {
      ...(ready.length === 0 ? {} : { addresses: ready }),
      ...(notReady.length === 0 ? {} : { notReadyAddresses: notReady }),
      ...rest,
    },
  ];
}

/** The same for the older kind of object, which holds a Service's endpoints whole. */
export const endpointsInside = (endpoints: Endpoints, isInside: IsInside): Endpoints => ({
  ...endpoints,
  subsets: (endpoints.subsets ?? []).flatMap((subset) => subsetInside(subset, isInside)),
});

export const hasReadyAddressInside = ({ subsets }: Endpoints, isInside: IsInside): boolean =>
  (subsets ?? []).some(({ addresses = [] }) => addresses.some(({ nodeName }) => isInside(nodeName)));
