import { type Clock, type Logger, type Random, type Service, createServiceGroup } from '@selvedge/kit';
import type { KubeClient } from '../client.ts';
import type { KubeMetrics } from '../metrics.ts';
import type { ObjectMeta } from '../gen/types.ts';
import type { KubeObject } from '../object.ts';
import type { Reflector, ReflectorOptions, ReflectorState } from './reflector-types.ts';
import { createReflector } from './reflector.ts';
import { type IndexedStore, type StoreOptions, createIndexedStore } from './store.ts';

export interface ObjectCachesDeps {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly kubeMetrics: KubeMetrics;
}

/** What is kept of a kind of objects, and who is told how its reflector fares. */
export interface Kept<T extends KubeObject> extends StoreOptions<T> {
  readonly onState?: (state: ReflectorState) => void;
}

/** Objects of the cluster in memory, each kind with its reflector and its store. */
export interface ObjectCaches {
  /** To be called before the start. `maxObjects` caps the list and the store. */
  follow<T extends KubeObject>(options: ReflectorOptions<T>, kept?: Kept<T>): IndexedStore<T>;
  /** Its start waits until all are in sync. */
  readonly service: Service;
  readonly synced: boolean;
}

/** What names an object and its version. */
export const slimMetadata = ({ name, namespace, uid, resourceVersion }: ObjectMeta): ObjectMeta => ({
  name,
  namespace,
  uid,
  resourceVersion,
});

/** Who set which field is often half of an object, and read by few. */
export const withoutManagedFields = <T extends KubeObject>(object: T): T => ({
  ...object,
  metadata: { ...object.metadata, managedFields: undefined },
});

export function createObjectCaches(
  { name }: { readonly name: string },
  deps: ObjectCachesDeps,
): ObjectCaches {
  const reflectors: Reflector[] = [];
  const inSync: Service = {
    name: `${name} in sync`,
    async start(signal) {
      await Promise.all(reflectors.map((reflector) => reflector.whenSynced(signal)));
    },
    stop: () => Promise.resolve(),
  };
  let running: Service | undefined;
  return {
    follow(options, { onState, ...kept } = {}) {
      const { maxObjects } = options;
      const store = createIndexedStore({ ...(maxObjects === undefined ? {} : { maxObjects }), ...kept });
      const told = onState === undefined ? {} : { onState };
      reflectors.push(createReflector(options, { ...deps, ...told, store, metrics: deps.kubeMetrics }));
      return store;
    },
    service: {
      name,
      start(signal) {
        running = createServiceGroup({ name, services: [...reflectors, inSync] }, deps);
        return running.start(signal);
      },
      stop: async () => running?.stop(),
    },
    get synced() {
      return reflectors.every((reflector) => reflector.synced);
    },
  };
}
