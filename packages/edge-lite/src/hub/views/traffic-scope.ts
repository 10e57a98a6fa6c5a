import { type Traffic, parseTraffic } from '@selvedge/api';
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

/** A Service whose traffic does not go everywhere. */
type Closed = ObjectName & Traffic;

const slices = 'discovery.k8s.io/v1/endpointslices';
const endpoints = 'v1/endpoints';

const keyOf = ({ namespace, name }: ObjectName): string => `${namespace}/${name}`;

/** The way to the API server is nobody's to close. */
const isKubernetes = (at: ObjectName): boolean => keyOf(at) === 'default/kubernetes';

function closedOf({ metadata }: KubeObject): Closed | undefined {
  const { namespace = '', name = '', annotations } = metadata;
  const traffic = parseTraffic(annotations);
  if (traffic === undefined || traffic.scope === 'cluster' || isKubernetes({ namespace, name }))
    return undefined;
  return { namespace, name, ...traffic };
}

/**
 * Traffic to a Service stays where its annotation says: endpoints elsewhere are not shown to anybody on this node. Slices
 * keep their names; those without an endpoint here are empty. With `fallback: cluster` all are shown while none in the
 * scope is ready. An endpoint without a node is nowhere.
 */
class TrafficScopeView implements View {
  readonly name = 'traffic-scope';
  readonly resources = new Set([slices, endpoints]);
  readonly #nodeName: string;
  readonly #deps: TrafficScopeDeps;
  #services: Mirror<Closed> | undefined;
  #index: EndpointIndex | undefined;

  constructor({ nodeName }: TrafficScopeOptions, deps: TrafficScopeDeps) {
    this.#nodeName = nodeName;
    this.#deps = deps;
  }

  apply: View['apply'] = (resource, object) => {
    const service = resource === endpoints ? nameOf(object) : serviceOf(object as EndpointSlice);
    const closed = service === undefined ? undefined : this.#closed(service);
    if (closed === undefined) return object;
    const isInside = this.#insideOf(closed);
    const isOpen = closed.fallback === 'cluster' && !this.#hasReady(resource, object, isInside);
    if (isOpen) return object;
    return resource === endpoints
      ? endpointsInside(object, isInside)
      : onlyInside(object as EndpointSlice, isInside);
  };

  onChange: NonNullable<View['onChange']> = (changed) => {
    const { replica, unit } = this.#deps;
    let known = new Map<string, Closed>();
    const tell = (names: readonly ObjectName[]): void => {
      index.recount();
      const wanted = new Set(names.map(keyOf));
      changed(
        slices,
        index.slicesOf((service) => wanted.has(keyOf(service))),
      );
      changed(endpoints, names);
    };
    const services = createMirror({ reader: replica.reader('v1/services'), pick: closedOf }, () => {
      const now = new Map(Array.from(services.values(), (one) => [keyOf(one), one]));
      const others = [...new Set([...known.keys(), ...now.keys()])].filter(
        (key) => !isSame(known.get(key), now.get(key)),
      );
      const names = others.flatMap((key) => now.get(key) ?? known.get(key) ?? []);
      known = now;
      if (names.length > 0) tell(names);
    });
    known = new Map(Array.from(services.values(), (one) => [keyOf(one), one]));
    this.#services = services;
    const index = createEndpointIndex(
      { nodeName: this.#nodeName },
      {
        replica,
        isReachable: (nodeName, service) => this.#isInside(nodeName, service),
        changed: (names) => changed(slices, names),
      },
    );
    this.#index = index;
    const moved = unit.onChange(() => tell([...services.values()].filter(({ scope }) => scope === 'unit')));
    return {
      [Symbol.dispose]() {
        for (const one of [moved, index, services]) one[Symbol.dispose]();
      },
    };
  };

  /** Before its first use by the refresher there is no mirror yet: what is shown then must be right all the same. */
  #closed(service: ObjectName): Closed | undefined {
    if (this.#services !== undefined) return this.#services.get(service);
    const shown = this.#deps.replica.reader('v1/services').get(service);
    return shown === undefined ? undefined : closedOf(JSON.parse(shown.json) as KubeObject);
  }

  #insideOf({ scope }: Closed): IsInside {
    const { members } = this.#deps.unit;
    if (scope === 'node') return (nodeName) => nodeName === this.#nodeName;
    return (nodeName) => nodeName !== undefined && members.has(nodeName);
  }

  #isInside(nodeName: string, service: ObjectName): boolean {
    const closed = this.#closed(service);
    return closed === undefined || this.#insideOf(closed)(nodeName);
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

const isSame = (a: Closed | undefined, b: Closed | undefined): boolean =>
  a?.scope === b?.scope && a?.fallback === b?.fallback;

export function createTrafficScopeView(options: TrafficScopeOptions, deps: TrafficScopeDeps): View {
  return new TrafficScopeView(options, deps);
}
