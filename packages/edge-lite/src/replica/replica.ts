import {
  type Clock,
  type Logger,
  type MetricsRegistry,
  type Random,
  SelvedgeError,
  type Service,
  createServiceGroup,
  createTaskGroup,
  jittered,
  raceAbort,
} from '@selvedge/kit';
import { type KubeMetrics, type Reflector, createReflector } from '@selvedge/kube';
import type { ObjectRef, ObjectSource, SourceResource } from '../pods/index.ts';
import type { ObjectKey, ObjectRepository } from '../store/index.ts';
import { type Collection, createCollection } from './collection.ts';
import { type ListWatchClient, refuseFutureVersion } from './first-contact.ts';
import { Followed } from './followed.ts';
import { followedResources, keyOfRef, kinds, refOfKey, storedName } from './kinds.ts';
import { createObjectSource } from './source.ts';
import { Subscriptions } from './subscriptions.ts';

export interface ReplicaOptions {
  readonly nodeName: string;
  /** Config maps and secrets followed at a time. Default 1,000. */
  readonly maxFollowed?: number;
}

export interface ReplicaDeps {
  readonly client: ListWatchClient;
  readonly objects: ObjectRepository;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly kubeMetrics: KubeMetrics;
  readonly metrics: MetricsRegistry;
}

/**
 * The API objects that this node needs, filled from list-watches and kept on disk. Its start does not wait for the
 * network: what an earlier run left is served. The list-watches of pods and services go on where that run was; those of
 * single objects, the own Node among them, begin with a list, which costs as little as asking.
 */
export interface Replica extends Service {
  readonly source: ObjectSource;
  /** Resolves once pods, services and the own Node were complete at some time, also in an earlier run. */
  whenSynced(signal: AbortSignal): Promise<void>;
}

const keepUnfollowedMs = 600_000;
/** Longer than a slow link takes for one object, shorter than anybody waits for a pod. */
const settleMs = 2_000;

interface WatchedOptions {
  readonly resource: SourceResource;
  /** Of the collection. Default: that of the resource. */
  readonly name?: string;
  /** Given when it holds one object only. */
  readonly only?: ObjectKey;
  readonly fieldSelector?: string;
}

interface Watched {
  readonly collection: Collection;
  readonly reflector: Reflector;
}

class DiskReplica implements Replica {
  readonly name = 'replica';
  readonly source: ObjectSource;
  readonly #deps: ReplicaDeps;
  readonly #subscriptions: Subscriptions<string, ObjectRef>;
  readonly #followed: Followed;
  readonly #whole: readonly Watched[];
  readonly #group: Service;
  readonly #tasks;

  constructor(options: ReplicaOptions, deps: ReplicaDeps) {
    this.#deps = deps;
    this.#subscriptions = new Subscriptions(deps.log);
    this.#followed = new Followed(
      {
        maxFollowed: options.maxFollowed ?? 1_000,
        keepMs: jittered(keepUnfollowedMs, deps.random),
        settleMs,
      },
      { ...deps, watch: (key, name) => this.#watchOne(key, name), settled: (key) => this.#tell(key) },
    );
    this.source = createObjectSource({
      ...deps,
      followed: this.#followed,
      subscriptions: this.#subscriptions,
    });
    const { nodeName } = options;
    const own = keyOfRef({ resource: 'nodes', name: nodeName });
    this.#whole = [
      this.#watch({ resource: 'nodes', only: own, fieldSelector: `metadata.name=${nodeName}` }),
      this.#watch({ resource: 'services' }),
      this.#watch({ resource: 'pods', fieldSelector: `spec.nodeName=${nodeName}` }),
    ];
    const services = this.#whole.map(({ reflector }) => reflector);
    this.#group = createServiceGroup({ name: this.name, services }, deps);
    this.#tasks = createTaskGroup(
      { name: this.name },
      { onFailure: (error, task) => deps.log.error('replica task failed', { task, error }) },
    );
    deps.metrics.sampled(
      { name: 'selvedge_replica_followed_objects', help: 'Config maps and secrets with a list-watch.' },
      () => this.#followed.size,
    );
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.#group.start(signal);
    this.#tasks.run('garbage', (inner) =>
      this.#followed.collectGarbage(followedResources.map(storedName), inner),
    );
  }

  async stop(): Promise<void> {
    await this.#tasks.stop();
    await this.#followed.stop();
    await this.#group.stop();
    for (const { collection } of this.#whole) collection.flush();
  }

  async whenSynced(signal: AbortSignal): Promise<void> {
    const missing = this.#whole.filter(({ collection }) => collection.resourceVersion === undefined);
    await raceAbort(Promise.all(missing.map(({ reflector }) => reflector.whenSynced(signal))), signal);
  }

  #watchOne(key: ObjectKey, name: string): Watched {
    const resource = refOfKey(key)?.resource;
    if (resource === undefined) {
      throw new SelvedgeError(`nobody may follow ${key.resource}`, { code: 'Internal' });
    }
    return this.#watch({ resource, name, only: key, fieldSelector: `metadata.name=${key.name}` });
  }

  #watch({ resource, name, only, fieldSelector }: WatchedOptions): Watched {
    const { client, kubeMetrics } = this.#deps;
    const collection = createCollection(
      { name: name ?? resource, resource: storedName(resource), ...(only === undefined ? {} : { only }) },
      {
        ...this.#deps,
        changed: (keys) => {
          for (const key of keys) if (!this.#followed.settling(key)) this.#tell(key);
        },
      },
    );
    const earlier = only === undefined ? collection.resourceVersion : undefined;
    const reflector = createReflector(
      {
        resource: kinds[resource],
        fieldSelector,
        namespace: only?.namespace === '' ? undefined : only?.namespace,
        initialResourceVersion: earlier,
      },
      {
        ...this.#deps,
        client: refuseFutureVersion(earlier, client),
        store: collection,
        metrics: kubeMetrics,
      },
    );
    return { collection, reflector };
  }

  #tell(key: ObjectKey): void {
    const ref = refOfKey(key);
    if (ref !== undefined) this.#subscriptions.tell(key.resource, ref);
  }
}

/** Does no network I/O before its start. */
export function createReplica(options: ReplicaOptions, deps: ReplicaDeps): Replica {
  return new DiskReplica(options, deps);
}
