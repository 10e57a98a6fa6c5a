import type { Service } from '@selvedge/kit';
import {
  type ObjectCachesDeps,
  type Indexer,
  type ObjectReader,
  createObjectCaches,
  resources,
  slimMetadata,
} from '@selvedge/kube';
import type { Lease, Pod } from '@selvedge/kube/types';
import type { EdgeUnitObject } from '@selvedge/unit-controller';
import { heldAnnotation, nodeLeaseNamespace } from './lease/index.ts';

export interface AutonomyCachesDeps extends ObjectCachesDeps {
  /** Told when Leases are followed without a break, and when not. */
  readonly onFollowing: (isFollowing: boolean) => void;
}

/** What is decided from beside the nodes, in memory while this server leads. */
export interface AutonomyCaches {
  readonly leases: ObjectReader<Lease>;
  /** Those that are bound, by the index `node`. */
  readonly pods: ObjectReader<Pod>;
  /** Its start waits until all are in sync. */
  readonly service: Service;
}

/** As many as Kubernetes supports. Source: kubernetes.io "Considerations for large clusters". */
const maxPods = 150_000;

const keptLease = ({ metadata, spec }: Lease): Lease => {
  const held = metadata.annotations?.[heldAnnotation];
  const annotations = held === undefined ? undefined : { [heldAnnotation]: held };
  return {
    metadata: { ...slimMetadata(metadata), annotations },
    spec: { renewTime: spec?.renewTime },
  };
};

const keptPod = ({ metadata, spec, status }: Pod): Pod => {
  const { deletionTimestamp, ownerReferences } = metadata;
  const claims = spec?.volumes?.filter(({ persistentVolumeClaim }) => persistentVolumeClaim !== undefined);
  return {
    metadata: { ...slimMetadata(metadata), deletionTimestamp, ownerReferences },
    spec: {
      containers: [],
      nodeName: spec?.nodeName,
      tolerations: spec?.tolerations,
      readinessGates: spec?.readinessGates,
      volumes: claims,
    },
    status: {
      phase: status?.phase,
      conditions: status?.conditions?.map(({ type, status: is }) => ({ type, status: is })),
    },
  };
};

/** The unit of a node, if it is in one. */
export const unitOf = (units: ObjectReader<EdgeUnitObject>, node: string): EdgeUnitObject | undefined =>
  units.byIndex('member', node)[0];

export const membersOf = (unit: EdgeUnitObject | undefined): readonly string[] =>
  (unit?.status?.members ?? []).map(({ name }) => name);

/** What the store of EdgeUnits must be indexed by. */
export const memberIndexers: Readonly<Record<'member', Indexer<EdgeUnitObject>>> = { member: membersOf };

export function createAutonomyCaches(deps: AutonomyCachesDeps): AutonomyCaches {
  const caches = createObjectCaches({ name: 'autonomy caches' }, deps);
  const leases = caches.follow(
    { resource: resources.leases, namespace: nodeLeaseNamespace },
    { keep: keptLease, onState: ({ kind }) => deps.onFollowing(kind === 'watching') },
  );
  const pods = caches.follow(
    { resource: resources.pods, fieldSelector: 'spec.nodeName!=', maxObjects: maxPods },
    { keep: keptPod, indexers: { node: ({ spec }) => [spec?.nodeName ?? ''] } },
  );
  const { service } = caches;
  return { leases, pods, service };
}
