import type { EndpointAddress, Endpoints } from '@selvedge/kube/types';
import { createMirror } from '../facts/index.ts';
import type { ObjectName, Replica } from '../replica/types.ts';
import { isPod } from './local-endpoint.ts';

/** What is kept of Endpoints as they are shown. */
interface Summary extends ObjectName {
  readonly hasLocal: boolean;
  readonly readyNodes: ReadonlySet<string>;
}

/** Which Endpoints are to be looked at when something changes that is known here. */
export interface EndpointsIndex extends Disposable {
  /** Those with addresses of pods that may be of this node. */
  local(): readonly ObjectName[];
  /** Those with a ready address on a node that can be reached. */
  ready(): readonly ObjectName[];
}

function summaryOf({ metadata, subsets = [] }: Endpoints, nodeName: string): Summary | undefined {
  const ready: readonly EndpointAddress[] = subsets.flatMap(({ addresses = [] }) => addresses);
  const notReady = subsets.flatMap(({ notReadyAddresses = [] }) => notReadyAddresses);
  const hasLocal = [...ready, ...notReady].some(
    (one) => isPod(one) && (one.nodeName ?? nodeName) === nodeName,
  );
  const readyNodes = new Set(ready.flatMap((one) => one.nodeName ?? []));
  if (!hasLocal && readyNodes.size === 0) return undefined;
  const { namespace = '', name = '' } = metadata;
  return { namespace, name, hasLocal, readyNodes };
}

export function createEndpointsIndex(
  { nodeName }: { readonly nodeName: string },
  deps: { readonly replica: Pick<Replica, 'reader'>; readonly isReachable: (nodeName: string) => boolean },
): EndpointsIndex {
  const { replica, isReachable } = deps;
  const mirror = createMirror(
    {
      reader: replica.reader('v1/endpoints'),
      pick: (object) => summaryOf(object as Endpoints, nodeName),
    },
    () => undefined,
  );
  const namesWhere = (wanted: (summary: Summary) => boolean): readonly ObjectName[] =>
    Array.from(mirror.values())
      .filter(wanted)
      .map(({ namespace, name }) => ({ namespace, name }));
  return {
    local: () => namesWhere(({ hasLocal }) => hasLocal),
    ready: () => namesWhere(({ readyNodes }) => [...readyNodes].some(isReachable)),
    [Symbol.dispose]: () => mirror[Symbol.dispose](),
  };
}
