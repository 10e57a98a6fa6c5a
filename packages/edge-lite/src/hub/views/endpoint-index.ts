import type { EndpointSlice } from '@selvedge/kube/types';
import { createMirror } from '../facts/index.ts';
import type { ObjectName, Replica } from '../replica/types.ts';
import { isPod } from './local-endpoint.ts';
import { readyNodes, serviceOf } from './slice-truth.ts';

/** What is kept of a slice as it is shown. */
interface Summary extends ObjectName {
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
  /** Whether a node can be reached while the cloud is away. */
  readonly isReachable: (nodeName: string) => boolean;
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
}

export function groupOf(slice: EndpointSlice): string | undefined {
  const service = serviceOf(slice);
  return service === undefined ? undefined : `${service.namespace}/${service.name} ${slice.addressType}`;
}

function summaryOf(slice: EndpointSlice, nodeName: string): Summary | undefined {
  const group = groupOf(slice);
  if (group === undefined) return undefined;
  const { namespace = '', name = '' } = slice.metadata;
  return {
    namespace,
    name,
    group,
    hasLocal: (slice.endpoints ?? []).some((one) => one.nodeName === nodeName && isPod(one)),
    readyNodes: new Set(readyNodes(slice)),
  };
}

const nameOf = ({ namespace, name }: Summary): ObjectName => ({ namespace, name });

export function createEndpointIndex(
  { nodeName }: EndpointIndexOptions,
  { replica, isReachable, changed }: EndpointIndexDeps,
): EndpointIndex {
  const isReady = (summary: Summary): boolean => [...summary.readyNodes].some(isReachable);
  let before: ReadonlySet<string> = new Set();
  const mirror = createMirror(
    {
      reader: replica.reader('discovery.k8s.io/v1/endpointslices'),
      pick: (object) => summaryOf(object as EndpointSlice, nodeName),
    },
    () => {
      const now = readyGroups();
      const flipped = now.symmetricDifference(before);
      before = now;
      if (flipped.size > 0) changed(namesWhere(({ group }) => flipped.has(group)));
    },
  );
  const where = (wanted: (summary: Summary) => boolean): readonly Summary[] =>
    Array.from(mirror.values()).filter(wanted);
  const namesWhere = (wanted: (summary: Summary) => boolean): readonly ObjectName[] =>
    where(wanted).map(nameOf);
  const readyGroups = (): ReadonlySet<string> => new Set(where(isReady).map(({ group }) => group));
  before = readyGroups();
  return {
    othersReady(slice) {
      const group = groupOf(slice);
      const { namespace, name } = slice.metadata;
      const isOther = (one: Summary): boolean => one.namespace !== namespace || one.name !== name;
      return where((one) => one.group === group && isOther(one)).some(isReady);
    },
    local: () => namesWhere(({ hasLocal }) => hasLocal),
    ready() {
      const groups = readyGroups();
      return namesWhere(({ group }) => groups.has(group));
    },
    [Symbol.dispose]: () => mirror[Symbol.dispose](),
  };
}
