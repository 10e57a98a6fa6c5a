import { type EdgeUnit, edgeUnits } from '@selvedge/api';
import type { Clock, Logger, Random, Service } from '@selvedge/kit';
import {
  type IndexedStore,
  type KubeClient,
  type KubeMetrics,
  type KubeObject,
  type ObjectReader,
  type Reflector,
  type ReflectorOptions,
  type ReflectorState,
  type StoreOptions,
  createIndexedStore,
  createReflector,
  defineResource,
  resources,
} from '@selvedge/kube';
import type { Lease, Node, Pod } from '@selvedge/kube/types';
import { heldAnnotation, nodeLeaseNamespace } from './lease/index.ts';
import { conditionType } from './node/node-plan.ts';

export type EdgeUnitObject = KubeObject & EdgeUnit;

const edgeUnitResource = defineResource<EdgeUnitObject>(edgeUnits);

export interface AutonomyCachesDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly kubeMetrics: KubeMetrics;
  /** Told when Leases are followed without a break, and when not. */
  readonly onFollowing: (isFollowing: boolean) => void;
}

/** What is decided from, in memory while this server leads. */
export interface AutonomyCaches {
  readonly leases: ObjectReader<Lease>;
  /** Their taints and the conditions that matter here. */
  readonly nodes: ObjectReader<Node>;
  /** By the index `member`. */
  readonly units: ObjectReader<EdgeUnitObject>;
  /** Those that are bound, by the index `node`. */
  readonly pods: ObjectReader<Pod>;
  readonly services: readonly Service[];
  readonly synced: boolean;
}

const keptLease = ({ metadata, spec }: Lease): Lease => {
  const { name, namespace, uid, resourceVersion, annotations } = metadata;
  const held = annotations?.[heldAnnotation];
  return {
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion,
      ...(held === undefined ? {} : { annotations: { [heldAnnotation]: held } }),
    },
    spec: { renewTime: spec?.renewTime },
  };
};

const keptNode = ({ metadata, spec, status }: Node): Node => {
  const { name, uid, resourceVersion } = metadata;
  const conditions = status?.conditions?.filter(({ type }) => type === 'Ready' || type === conditionType);
  return { metadata: { name, uid, resourceVersion }, spec: { taints: spec?.taints }, status: { conditions } };
};

const keptPod = ({ metadata, spec, status }: Pod): Pod => {
  const { name, namespace, uid, resourceVersion, deletionTimestamp, ownerReferences } = metadata;
  const claims = spec?.volumes?.filter(({ persistentVolumeClaim }) => persistentVolumeClaim !== undefined);
  return {
    metadata: { name, namespace, uid, resourceVersion, deletionTimestamp, ownerReferences },
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

export function createAutonomyCaches(deps: AutonomyCachesDeps): AutonomyCaches {
  const reflectors: Reflector[] = [];
  const follow = <T extends KubeObject>(
    options: ReflectorOptions<T>,
    kept: StoreOptions<T>,
    onState?: (state: ReflectorState) => void,
  ): IndexedStore<T> => {
    const store = createIndexedStore<T>(kept);
    const told = onState === undefined ? {} : { onState };
    reflectors.push(createReflector(options, { ...deps, ...told, store, metrics: deps.kubeMetrics }));
    return store;
  };
  const leases = follow(
    { resource: resources.leases, namespace: nodeLeaseNamespace },
    { keep: keptLease },
    ({ kind }) => deps.onFollowing(kind === 'watching'),
  );
  const nodes = follow({ resource: resources.nodes }, { keep: keptNode });
  const units = follow({ resource: edgeUnitResource }, { indexers: { member: membersOf } });
  const pods = follow(
    { resource: resources.pods, fieldSelector: 'spec.nodeName!=' },
    { keep: keptPod, indexers: { node: ({ spec }) => [spec?.nodeName ?? ''] } },
  );
  return {
    leases,
    nodes,
    units,
    pods,
    services: reflectors,
    get synced() {
      return reflectors.every((reflector) => reflector.synced);
    },
  };
}
