import {
  type Clock,
  type Logger,
  type MetricsRegistry,
  type Random,
  type Service,
  createServiceGroup,
  createTaskGroup,
  jittered,
  raceAbort,
} from '@selvedge/kit';
import {
  type KubeClient,
  type KubeMetrics,
  type KubeObject,
  type Reflector,
  type Resource,
  createReflector,
  resources,
} from '@selvedge/kube';
import type { ObjectRef, ObjectSource, SourceResource } from '../pods/index.ts';
import type { ObjectKey, ObjectRepository } from '../store/index.ts';
import { type Collection, type CollectionOptions, createCollection } from './collection.ts';
import { Followed } from './followed.ts';
import { createObjectSource, followedResources } from './source.ts';
import { Subscriptions } from './subscriptions.ts';

export interface ReplicaOptions {
  readonly nodeName: string;
  /** Config maps and secrets followed at a time. Default 1,000. */
  readonly maxFollowed?: number;
}

export interface ReplicaDeps {
  readonly client: Pick<KubeClient, 'listAll' | 'watch'>;
  readonly objects: ObjectRepository;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly kubeMetrics: KubeMetrics;
  readonly metrics: MetricsRegistry;
}

/**
 * The API objects that this node needs, filled from list-watches and kept on disk. Its start does not wait for the
 * network: what an earlier run left is served, and each list-watch goes on where that run was.
 */
export interface Replica extends Service {
  readonly source: ObjectSource;
  /** Resolves once pods, services and the own Node were complete at some time, also in an earlier run. */
  whenSynced(signal: AbortSignal): Promise<void>;
}

const keepUnfollowedMs = 600_000;
const kinds: Readonly<Record<SourceResource, Resource<KubeObject>>> = {
  pods: resources.pods,
  services: resources.services,
  nodes: resources.nodes,
  configmaps: resources.configMaps,
  secrets: resources.secrets,
};

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
      { maxFollowed: options.maxFollowed ?? 1_000, keepMs: jittered(keepUnfollowedMs, deps.random) },
      { ...deps, watch: (key, name) => this.#watchOne(key, name) },
    );
    this.source = createObjectSource({
      ...deps,
      followed: this.#followed,
      subscriptions: this.#subscriptions,
    });
    const { nodeName } = options;
    const own = { resource: 'nodes', namespace: '', name: nodeName };
    this.#whole = [
      this.#watch({ name: 'nodes', resource: 'nodes', only: own }, `metadata.name=${nodeName}`),
      this.#watch({ name: 'services', resource: 'services' }),
      this.#watch({ name: 'pods', resource: 'pods' }, `spec.nodeName=${nodeName}`),
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
    this.#tasks.run('garbage', (inner) => this.#followed.collectGarbage(followedResources, inner));
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
    const { resource, namespace } = key;
    return this.#watch({ name, resource, only: key }, `metadata.name=${key.name}`, namespace);
  }

  #watch(options: CollectionOptions, fieldSelector?: string, namespace?: string): Watched {
    const { resource } = options;
    const collection = createCollection(options, {
      ...this.#deps,
      changed: (keys) => {
        for (const key of keys) this.#tell(key);
      },
    });
    const reflector = createReflector(
      {
        resource: kinds[resource as SourceResource],
        fieldSelector,
        namespace,
        initialResourceVersion: collection.resourceVersion,
      },
      { ...this.#deps, store: collection, metrics: this.#deps.kubeMetrics },
    );
    return { collection, reflector };
  }

  #tell({ resource, namespace, name }: ObjectKey): void {
    const ref = { resource: resource as SourceResource, name, ...(namespace === '' ? {} : { namespace }) };
    this.#subscriptions.tell(resource, ref);
  }
}

/** Does no network I/O before its start. */
export function createReplica(options: ReplicaOptions, deps: ReplicaDeps): Replica {
  return new DiskReplica(options, deps);
}
