import type { Container, ConfigMap, Pod, PodSpec, Secret, Service } from '@selvedge/kube/types';

import type {
  Lookup,
  ObjectRef,
  ObjectSource,
  PodEvent,
  PodEvents,
  PodRef,
  SourceObjects,
  SourceResource,
} from './ports.ts';
import type { NodeFacts } from './spec/index.ts';

/** Small stand-ins for tests of the pod module. */

const keyOf = ({ resource, namespace = '', name }: ObjectRef): string => `${resource}/${namespace}/${name}`;

/** An `ObjectSource` in memory. What was never put or removed is unknown. */
export interface MemoryObjects extends ObjectSource {
  put(resource: SourceResource, object: Pod | ConfigMap | Secret | Service): void;
  /** Proven absent from now on. */
  remove(ref: ObjectRef): void;
  /** How many follow each object, by `resource/namespace/name`. */
  readonly followers: ReadonlyMap<string, number>;
}

export function memoryObjects(): MemoryObjects {
  const held = new Map<string, Lookup<unknown>>();
  const followers = new Map<string, number>();
  const listeners = new Map<SourceResource, Set<(ref: ObjectRef) => void>>();
  const tell = (ref: ObjectRef): void => {
    for (const listener of listeners.get(ref.resource) ?? []) listener(ref);
  };
  const count = (key: string, by: number): void => {
    const next = (followers.get(key) ?? 0) + by;
    if (next === 0) followers.delete(key);
    else followers.set(key, next);
  };
  return {
    followers,
    put(resource, object) {
      const { namespace = '', name = '' } = object.metadata;
      const ref = { resource, namespace, name };
      held.set(keyOf(ref), { kind: 'present', object });
      tell(ref);
    },
    remove(ref) {
      held.set(keyOf(ref), { kind: 'absent' });
      tell(ref);
    },
    get: <T>(ref: ObjectRef) => (held.get(keyOf(ref)) ?? { kind: 'unknown' }) as Lookup<T>,
    list<R extends SourceResource>(resource: R, namespace?: string) {
      const prefix = namespace === undefined ? `${resource}/` : `${resource}/${namespace}/`;
      const ofKind = [...held].filter(([key]) => key.startsWith(prefix));
      return ofKind.flatMap(([, one]) => (one.kind === 'present' ? [one.object as SourceObjects[R]] : []));
    },
    synced: () => true,
    subscribe(resource, changed) {
      const own = listeners.get(resource) ?? new Set();
      listeners.set(resource, own.add(changed));
      return { [Symbol.dispose]: () => void own.delete(changed) };
    },
    follow(ref) {
      const key = keyOf(ref);
      count(key, 1);
      return { [Symbol.dispose]: () => count(key, -1) };
    },
  };
}

export interface RecordedEvents extends PodEvents {
  readonly events: readonly (PodEvent & { readonly pod: PodRef })[];
}

export function recordedEvents(): RecordedEvents {
  const events: (PodEvent & { readonly pod: PodRef })[] = [];
  return { events, record: (pod, event) => void events.push({ ...event, pod }) };
}

/** The pod `web` of namespace `shop`. */
export function podWith(spec: Partial<PodSpec> = {}, metadata: Partial<Pod['metadata']> = {}): Pod {
  return {
    metadata: { name: 'web', namespace: 'shop', uid: 'uid-web', ...metadata },
    spec: { containers: [containerWith()], ...spec },
  };
}

export function containerWith(more: Partial<Container> = {}): Container {
  return { name: 'main', image: 'busybox:1', ...more };
}

export function nodeFacts(more: Partial<NodeFacts> = {}): NodeFacts {
  return {
    nodeName: 'gate-1',
    podLogs: '/var/log/pods',
    clusterDNS: ['10.96.0.10'],
    clusterDomain: 'cluster.local',
    resolver: { servers: ['192.168.1.1'], searches: ['lan'], options: ['rotate'] },
    cgroup: { driver: 'cgroupfs', root: '/', version: 1 },
    memoryCapacityBytes: 2 ** 30,
    hugePageSizes: ['2MB'],
    swapAccounting: true,
    seccompProfiles: '/var/lib/selvedge/seccomp',
    thermalThrottlePaths: [],
    ...more,
  };
}
