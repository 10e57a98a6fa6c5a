import { type Traffic, trafficFallbacks, trafficOf, trafficScopes } from '@selvedge/api';
import type { KubeObject } from '@selvedge/kube';
import type { EndpointSlice } from '@selvedge/kube/types';
import { type Mirror, createMirror } from '../facts/index.ts';
import type { ObjectName, Replica } from '../replica/types.ts';
import type { Unit } from '../unit/index.ts';
import { type EndpointIndex, createEndpointIndex } from './endpoint-index.ts';
import {
  type IsInside,
  endpointsInside,
  hasReadyAddressInside,
  hasReadyInside,
  onlyInside,
} from './scope-filter.ts';
import { serviceOf } from './slice-truth.ts';
import type { View } from './types.ts';

export interface TrafficScopeOptions {
  readonly nodeName: string;
}

export interface TrafficScopeDeps {
  readonly replica: Pick<Replica, 'reader'>;
  readonly unit: Pick<Unit, 'members' | 'onChange'>;
}

const slices = 'discovery.k8s.io/v1/endpointslices';
const endpoints = 'v1/endpoints';

const keyOf = ({ namespace, name }: ObjectName): string => `${namespace}/${name}`;

function nameOfKey(key: string): ObjectName {
  const at = key.indexOf('/');
  return { namespace: key.slice(0, at), name: key.slice(at + 1) };
}

/** The way to the API server is nobody's to close. */
const isKubernetes = (at: ObjectName): boolean => keyOf(at) === 'default/kubernetes';

/** Of the thousands of Services of a cluster each has one of these. */
const known: ReadonlyMap<string, Traffic> = new Map(
  trafficScopes.flatMap((scope) =>
    trafficFallbacks.map((fallback) => [`${scope} ${fallback}`, { scope, fallback }] as const),
  ),
);

function trafficTo({ metadata }: KubeObject): Traffic {
  const traffic = trafficOf(metadata.annotations);
  return known.get(`${traffic.scope} ${traffic.fallback}`) ?? traffic;
}

/**
 * Traffic to a Service stays where its annotation says: endpoints elsewhere are not shown to anybody on this node. Slices
 * keep their names; those without an endpoint here are empty. With `fallback: cluster` all are shown while none in the
 * scope is ready. An endpoint without a node is nowhere. Of a Service that is not known here, or not yet, nobody knows the
 * scope: endpoints on other nodes are not shown.
 */
class TrafficScopeView implements View {
  readonly name = 'traffic-scope';
  readonly resources = new Set([slices, endpoints]);
  readonly #nodeName: string;
  readonly #deps: TrafficScopeDeps;
  #services: Mirror<Traffic> | undefined;
  #index: EndpointIndex | undefined;

  constructor({ nodeName }: TrafficScopeOptions, deps: TrafficScopeDeps) {
    this.#nodeName = nodeName;
    this.#deps = deps;
  }

  apply: View['apply'] = (resource, object) => {
    const service = resource === endpoints ? nameOf(object) : serviceOf(object as EndpointSlice);
    const isInside = service === undefined ? undefined : this.#insideOf(service);
    if (service === undefined || isInside === undefined) return object;
    const fallsBack = this.#trafficTo(service)?.fallback === 'cluster';
    if (fallsBack && !this.#hasReady(resource, object, isInside)) return object;
    return resource === endpoints
      ? endpointsInside(object, isInside)
      : onlyInside(object as EndpointSlice, isInside);
  };

  onChange: NonNullable<View['onChange']> = (changed) => {
    const { replica, unit } = this.#deps;
    let before: ReadonlyMap<string, Traffic> = new Map();
    const tell = (names: readonly ObjectName[]): void => {
      if (names.length === 0) return;
      index.recount();
      const wanted = new Set(names.map(keyOf));
      changed(
        slices,
        index.slicesOf((service) => wanted.has(keyOf(service))),
      );
      changed(endpoints, names);
    };
    const services = createMirror({ reader: replica.reader('v1/services'), pick: trafficTo }, () => {
      const now = new Map(services.entries());
      const keys = new Set([...before.keys(), ...now.keys()]);
      const others = Array.from(keys).filter((key) => before.get(key) !== now.get(key));
      before = now;
      tell(others.map(nameOfKey));
    });
    before = new Map(services.entries());
    this.#services = services;
    const index = createEndpointIndex(
      { nodeName: this.#nodeName },
      {
        replica,
        isReachable: (nodeName, service) => this.#insideOf(service)?.(nodeName) ?? true,
        changed: (names) => changed(slices, names),
      },
    );
    this.#index = index;
    const moved = unit.onChange(() => {
      const inUnit = Array.from(services.entries()).filter(([, { scope }]) => scope === 'unit');
      tell(inUnit.map(([key]) => nameOfKey(key)));
    });
    return {
      [Symbol.dispose]() {
        for (const one of [moved, index, services]) one[Symbol.dispose]();
      },
    };
  };

  /** Before its first use by the refresher there is no mirror yet: what is shown then must be right all the same. */
  #trafficTo(service: ObjectName): Traffic | undefined {
    if (this.#services !== undefined) return this.#services.get(service);
    const shown = this.#deps.replica.reader('v1/services').get(service);
    return shown === undefined ? undefined : trafficTo(JSON.parse(shown.json) as KubeObject);
  }

  /** Undefined: everything is. */
  #insideOf(service: ObjectName): IsInside | undefined {
    if (isKubernetes(service)) return undefined;
    const { members } = this.#deps.unit;
    const isHere: IsInside = (nodeName) => nodeName === this.#nodeName;
    switch (this.#trafficTo(service)?.scope) {
      case 'cluster':
        return undefined;
      case 'unit':
        return (nodeName) => nodeName !== undefined && members.has(nodeName);
      case 'node':
        return isHere;
      case undefined:
        return (nodeName) => nodeName === undefined || isHere(nodeName);
    }
  }

  #hasReady(resource: string, object: KubeObject, isInside: IsInside): boolean {
    if (resource === endpoints) return hasReadyAddressInside(object, isInside);
    const slice = object as EndpointSlice;
    return hasReadyInside(slice, isInside) || this.#index?.othersReady(slice) === true;
  }
}

const nameOf = ({ metadata }: KubeObject): ObjectName => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name ?? '',
});

export function createTrafficScopeView(options: TrafficScopeOptions, deps: TrafficScopeDeps): View {
  return new TrafficScopeView(options, deps);
}
