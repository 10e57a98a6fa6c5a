import type { EndpointSlice } from '@selvedge/kube/types';
import { createMirror } from '../facts/index.ts';
import type { ObjectName, Replica } from '../replica/types.ts';
import { isPod } from './local-endpoint.ts';
import { readyNodes, serviceOf } from './slice-truth.ts';

/** What is kept of a slice as it is shown. */
interface Summary extends ObjectName {
  readonly service: ObjectName;
  /** Slices of one Service and one family are a whole. */
  readonly group: string;
  readonly hasLocal: boolean;
  readonly readyNodes: ReadonlySet<string>;
}

export interface EndpointIndexOptions {
  readonly nodeName: string;
}

export interface EndpointIndexDeps {
  readonly replica: Pick<Replica, 'reader'>;
  /** Whether what is ready on a node counts for the Service. */
  readonly isReachable: (nodeName: string, service: ObjectName) => boolean;
  /** Told of slices of which others of their Service gained or lost the last ready endpoint that can be reached. */
  readonly changed: (names: readonly ObjectName[]) => void;
}

/** Which slices of a Service stand in for each other, and which lead to this node. */
export interface EndpointIndex extends Disposable {
  /** Whether another slice than this one has a ready endpoint that can be reached. */
  othersReady(slice: EndpointSlice): boolean;
  /** Slices with endpoints on this node. */
  local(): readonly ObjectName[];
  /** Slices of Services that have a ready endpoint which can be reached. */
  ready(): readonly ObjectName[];
  /** Slices of the Services that are wanted. */
  slicesOf(isWanted: (service: ObjectName) => boolean): readonly ObjectName[];
  /** Other nodes can be reached than before. */
  recount(): void;
}

const groupOf = ({ namespace, name }: ObjectName, { addressType }: EndpointSlice): string =>
  `${namespace}/${name} ${addressType}`;

function summaryOf(slice: EndpointSlice, nodeName: string): Summary | undefined {
  const service = serviceOf(slice);
  if (service === undefined) return undefined;
  const { namespace = '', name = '' } = slice.metadata;
  return {
    namespace,
    name,
    service,
    group: groupOf(service, slice),
    hasLocal: (slice.endpoints ?? []).some((one) => one.nodeName === nodeName && isPod(one)),
    readyNodes: new Set(readyNodes(slice)),
  };
}

const nameOf = ({ namespace, name }: Summary): ObjectName => ({ namespace, name });

export function createEndpointIndex(
  { nodeName }: EndpointIndexOptions,
  { replica, isReachable, changed }: EndpointIndexDeps,
): EndpointIndex {
  const isReady = ({ readyNodes: nodes, service }: Summary): boolean =>
    [...nodes].some((node) => isReachable(node, service));
  const mirror = createMirror(
    {
      reader: replica.reader('discovery.k8s.io/v1/endpointslices'),
      pick: (object) => summaryOf(object as EndpointSlice, nodeName),
    },
    () => {
      const before = counts;
      counts = count();
      const flipped = new Set(before.keys()).symmetricDifference(new Set(counts.keys()));
      if (flipped.size > 0) changed(namesWhere(({ group }) => flipped.has(group)));
    },
  );
  const namesWhere = (wanted: (summary: Summary) => boolean): readonly ObjectName[] =>
    Array.from(mirror.values()).filter(wanted).map(nameOf);
  /** How many ready slices a group has; none: it is not in here. */
  const count = (): ReadonlyMap<string, number> => {
    const ready = new Map<string, number>();
    for (const summary of mirror.values())
      if (isReady(summary)) ready.set(summary.group, (ready.get(summary.group) ?? 0) + 1);
    return ready;
  };
  let counts = count();
  return {
    othersReady(slice) {
      const { namespace = '', name = '' } = slice.metadata;
      const own = mirror.get({ namespace, name });
      const service = serviceOf(slice);
      const all = service === undefined ? 0 : (counts.get(groupOf(service, slice)) ?? 0);
      return all > (own !== undefined && isReady(own) ? 1 : 0);
    },
    local: () => namesWhere(({ hasLocal }) => hasLocal),
    ready: () => namesWhere(({ group }) => counts.has(group)),
    slicesOf: (isWanted) => namesWhere(({ service }) => isWanted(service)),
    recount() {
      counts = count();
    },
    [Symbol.dispose]: () => mirror[Symbol.dispose](),
  };
}
