import type { Clock, Logger } from '@selvedge/kit';
import type { EndpointSlice, Service } from '@selvedge/kube/types';
import type { Facts } from '../facts/index.ts';
import type { ObjectName, Replica } from '../replica/types.ts';
import { onAway } from '../upstream/index.ts';
import type { Upstream } from '../upstream/types.ts';
import { type EndpointIndex, createEndpointIndex } from './endpoint-index.ts';
import { createEndpointsIndex } from './endpoints-index.ts';
import { endpointsTruth } from './endpoints-truth.ts';
import type { Surroundings } from './local-endpoint.ts';
import { type LastReady, createLastReady } from './last-ready.ts';
import { readyNodes, withLocalTruth, withoutDoubtful } from './slice-truth.ts';
import type { View } from './types.ts';

export interface EndpointTruthOptions {
  readonly nodeName: string;
}

/** Other nodes of the site that answer although the cloud is away. */
export interface ReachableNodes {
  has(nodeName: string): boolean;
  onChange(changed: () => void): Disposable;
}

export interface EndpointTruthDeps {
  readonly replica: Pick<Replica, 'coverages' | 'reader'>;
  readonly facts: Pick<Facts, 'onPods'> & { readonly pods: Pick<Facts['pods'], 'complete' | 'get'> };
  readonly upstream: Pick<Upstream, 'connectivity' | 'onConnectivity'>;
  /** Default: none. */
  readonly reachableNodes?: ReachableNodes | undefined;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: Pick<Logger, 'error'>;
}

const slices = 'discovery.k8s.io/v1/endpointslices';
const endpoints = 'v1/endpoints';

function publishesNotReady({ replica }: EndpointTruthDeps, at: ObjectName): boolean | undefined {
  const shown = replica.reader('v1/services').get(at);
  if (shown === undefined) return undefined;
  const { spec } = JSON.parse(shown.json) as Service;
  return spec?.publishNotReadyAddresses === true;
}

function surroundingsOf({ nodeName }: EndpointTruthOptions, deps: EndpointTruthDeps): Surroundings {
  return {
    nodeName,
    pod: (at) => deps.facts.pods.get(at) ?? (deps.facts.pods.complete ? undefined : 'unknown'),
    publishesNotReady: (service) => publishesNotReady(deps, service),
    isReachable: (name) => name === nodeName || deps.reachableNodes?.has(name) === true,
  };
}

/**
 * Endpoints of pods of this node are as this node knows them, at any time. While the cloud is away, those on nodes of which
 * nobody knows here whether they can be reached are left out if the Service has a ready one that can. Those that were ready
 * before it went stay so until it has heard of their nodes again.
 */
class EndpointTruth implements View {
  readonly name = 'endpoint-truth';
  readonly resources = new Set([slices, endpoints]);
  readonly #deps: EndpointTruthDeps;
  readonly #surroundings: Surroundings;
  #index: EndpointIndex | undefined;
  #lastReady: LastReady | undefined;

  constructor(options: EndpointTruthOptions, deps: EndpointTruthDeps) {
    this.#deps = deps;
    this.#surroundings = surroundingsOf(options, deps);
  }

  apply: View['apply'] = (resource, object) => {
    const isAway = this.#deps.upstream.connectivity.kind === 'offline';
    if (resource === endpoints) return endpointsTruth(object, this.#surroundings, isAway);
    const told = withLocalTruth(object as EndpointSlice, this.#surroundings);
    const slice = this.#lastReady?.apply(told) ?? told;
    return isAway && this.#hasReady(slice) ? withoutDoubtful(slice, this.#surroundings) : slice;
  };

  onChange: NonNullable<View['onChange']> = (changed) => {
    const { replica, facts, upstream, reachableNodes } = this.#deps;
    const { nodeName, isReachable } = this.#surroundings;
    const index = createEndpointIndex(
      { nodeName },
      { replica, isReachable, changed: (names) => changed(slices, names) },
    );
    this.#index = index;
    const whole = createEndpointsIndex({ nodeName }, { replica, isReachable });
    const all = (which: 'local' | 'ready'): void => {
      changed(slices, index[which]());
      changed(endpoints, whole[which]());
    };
    const lastReady = createLastReady(
      { nodeName },
      { ...this.#deps, changed: (names) => changed(slices, names) },
    );
    this.#lastReady = lastReady;
    const held = new DisposableStack();
    held.use(index);
    held.use(whole);
    held.use(lastReady);
    held.use(facts.onPods(() => all('local')));
    held.use(onAway(upstream, () => all('ready')));
    if (reachableNodes !== undefined) {
      const recounted = reachableNodes.onChange(() => {
        index.recount();
        changed(slices, undefined);
        changed(endpoints, undefined);
      });
      held.use(recounted);
    }
    return held;
  };

  #hasReady(slice: EndpointSlice): boolean {
    const { isReachable } = this.#surroundings;
    return readyNodes(slice).some(isReachable) || this.#index?.othersReady(slice) === true;
  }
}

export function createEndpointTruthView(options: EndpointTruthOptions, deps: EndpointTruthDeps): View {
  return new EndpointTruth(options, deps);
}
