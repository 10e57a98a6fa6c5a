import {
  createListeners,
  createTaskGroup,
  isAbort,
  limitRepeats,
  type Clock,
  type Listeners,
  type Logger,
  type MetricsRegistry,
  type Random,
  type Service,
} from '@selvedge/kit';
import type { ObjectRef, ObjectSource } from '../../pods/index.ts';
import type { Coverages } from '../coverages/types.ts';
import type { CoverageSpec, Replica } from '../replica/types.ts';
import type { Caller } from '../request.ts';
import type { Upstream } from '../upstream/types.ts';
import { Followed } from './followed.ts';
import { Membership } from './membership.ts';
import { ReplicaSource } from './source.ts';
import { specOfNode, specOfObject } from './words.ts';

export interface HubSourceOptions {
  readonly nodeName: string;
  /** Config maps and secrets followed at a time. Default 1,000. */
  readonly maxFollowed?: number;
}

export interface HubSourceDeps {
  readonly replica: Pick<Replica, 'reader'>;
  readonly coverages: Pick<Coverages, 'join' | 'covering'>;
  readonly upstream: Pick<Upstream, 'connectivity' | 'onConnectivity'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

/**
 * The API objects of this node, as its pod module reads them: from the replica, without a request. Its start waits for
 * nothing; what an earlier run left is served. To be started after the coverages and stopped before them.
 */
export interface HubSource extends Service {
  readonly source: ObjectSource;
  /** Resolves once pods, services and the own Node were complete at some time, also in an earlier run. */
  whenSynced(signal: AbortSignal): Promise<void>;
}

/** Longer than a slow link takes for one object, shorter than anybody waits for a pod. */
const settleMs = 2_000;
const repeatWindowMs = 60_000;

interface Needed {
  readonly spec: CoverageSpec;
  readonly membership: Membership;
}

class InProcessSource implements HubSource {
  readonly name = 'hub source';
  readonly source: ObjectSource;
  readonly #deps: HubSourceDeps;
  readonly #caller: Caller;
  readonly #settled: Listeners<ObjectRef>;
  readonly #followed: Followed;
  readonly #needed: readonly Needed[];
  readonly #tasks;

  constructor({ nodeName, maxFollowed = 1_000 }: HubSourceOptions, deps: HubSourceDeps) {
    this.#deps = { ...deps, log: limitRepeats({ windowMs: repeatWindowMs }, deps) };
    const user = { username: `system:node:${nodeName}`, groups: ['system:nodes', 'system:authenticated'] };
    this.#caller = { kind: 'node', user };
    this.#settled = createListeners(deps.log);
    this.#followed = new Followed(
      { maxFollowed, settleMs },
      {
        ...this.#deps,
        membershipOf: (ref) => this.#member(specOfObject(ref)),
        settled: (ref) => this.#settled.tell(ref),
      },
    );
    this.source = new ReplicaSource(
      { nodeName },
      {
        ...deps,
        followed: this.#followed,
        onSettled: (resource, settled) =>
          this.#settled.add((ref) => {
            if (ref.resource === resource) settled(ref);
          }),
      },
    );
    this.#needed = (['nodes', 'services', 'pods'] as const).map((resource) => {
      const spec = specOfNode(resource, nodeName);
      return { spec, membership: this.#member(spec) };
    });
    this.#tasks = createTaskGroup(
      { name: this.name },
      { onFailure: (error, task) => deps.log.error('hub source task failed', { task, error }) },
    );
    deps.metrics.sampled(
      { name: 'selvedge_hub_followed_objects', help: 'Config maps and secrets that pods of this node use.' },
      () => this.#followed.size,
    );
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    for (const { spec, membership } of this.#needed) {
      this.#tasks.run(spec.resource, (inner) => membership.run(inner));
    }
  }

  async stop(): Promise<void> {
    await this.#followed.stop();
    await this.#tasks.stop();
  }

  async whenSynced(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#needed.map((needed) => this.#whenComplete(needed, signal)));
  }

  async #whenComplete({ spec, membership }: Needed, signal: AbortSignal): Promise<void> {
    while (this.#deps.coverages.covering(spec) === undefined) {
      const coverage = await membership.coverage(signal);
      try {
        await coverage.whenSynced(signal);
      } catch (error) {
        signal.throwIfAborted();
        if (isAbort(error)) throw error;
        this.#deps.log.warn('not complete yet', { resource: spec.resource, error });
      }
    }
  }

  #member(spec: CoverageSpec): Membership {
    return new Membership({ spec, caller: this.#caller }, this.#deps);
  }
}

/** Does nothing before its start. */
export function createHubSource(options: HubSourceOptions, deps: HubSourceDeps): HubSource {
  return new InProcessSource(options, deps);
}
