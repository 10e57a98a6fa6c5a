import { silentLogger } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import type { KubeObject } from '@selvedge/kube';
import type { EndpointSlice } from '@selvedge/kube/types';
import type { TemporaryStore } from '../../store/testing.ts';
import { type Facts, createFacts } from '../facts/index.ts';
import { createRefresher } from '../refresher/index.ts';
import { createTestReplica } from '../replica/testing.ts';
import type { RunningReplica } from '../replica/index.ts';
import type { ApplyViews, ObjectName } from '../replica/types.ts';
import { type Unit, createUnit } from '../unit/index.ts';
import type { Connectivity } from '../upstream/types.ts';
import { type ReachableNodes, createViews } from './index.ts';

const services = 'v1/services';
export const slices = 'discovery.k8s.io/v1/endpointslices';

/** A hub's replica with its views, and a cloud that is in reach or not. */
export class World {
  readonly replica: RunningReplica;
  readonly facts: Facts;
  readonly unit: Unit;
  readonly peers = new Set<string>();
  /** Names of what was shown anew. */
  readonly refreshed = new Map<string, Set<string>>();
  readonly clock = createManualClock();
  #views: ApplyViews = (_resource, object) => object;
  #connectivity: Connectivity = { kind: 'online', sinceMs: 0, server: 's' };
  #revision = 0;
  readonly #told = new Set<() => void>();
  readonly #coverages = new Map<string, number>();

  constructor({ store }: TemporaryStore) {
    const applyViews: ApplyViews = (resource, object) => this.#views(resource, object);
    this.replica = createTestReplica(store, {}, { applyViews });
    this.facts = createFacts(
      { nodeName: 'here' },
      { replica: this.replica, machineAddresses: () => [], log: silentLogger },
    );
    this.unit = createUnit({ nodeName: 'here' }, { replica: this.replica, log: silentLogger });
  }

  /** Without `service: false` there is a Service `web`, whose endpoints the test is about. */
  async start({ service = true }: { readonly service?: boolean } = {}): Promise<void> {
    const web = { namespace: 'shop', name: 'web' };
    if (service && this.replica.reader(services).get(web) === undefined)
      await this.put(services, { apiVersion: 'v1', kind: 'Service', metadata: web });
    const connectivity = (): Connectivity => this.#connectivity;
    const onChange = (changed: () => void): Disposable => {
      this.#told.add(changed);
      return { [Symbol.dispose]: () => void this.#told.delete(changed) };
    };
    const reachableNodes: ReachableNodes = {
      has: (name) => this.peers.has(name),
      onChange,
    };
    const views = createViews(
      { nodeName: 'here', linkLocalAddress: undefined, port: 1, leadsService: false },
      {
        replica: this.replica,
        facts: this.facts,
        unit: this.unit,
        pki: { caBundle: '', onChange },
        upstream: {
          get connectivity() {
            return connectivity();
          },
          onConnectivity: (changed) => onChange(() => changed(connectivity())),
        },
        reachableNodes,
        clock: this.clock,
        log: silentLogger,
      },
    );
    this.#views = (resource, object) =>
      views.reduce(
        (shown, view) => (view.resources.has(resource) ? view.apply(resource, shown) : shown),
        object,
      );
    const replica = {
      reader: (resource: string) => this.replica.reader(resource),
      refresh: (resource: string, names: readonly ObjectName[] = []) => {
        this.refreshed.set(
          resource,
          new Set([...(this.refreshed.get(resource) ?? []), ...names.map(({ name }) => name)]),
        );
        this.replica.refresh(resource, names);
      },
    };
    const refresher = createRefresher({ replica, views, log: silentLogger });
    await refresher.start(new AbortController().signal);
  }

  /** What upstream says now; refreshes that follow are done when it resolves. */
  async put(resource: string, ...objects: readonly KubeObject[]): Promise<void> {
    const id = this.#coverages.get(resource) ?? this.#cover(resource);
    const changes = objects.map((object) => {
      this.#revision += 1;
      const metadata = { ...object.metadata, resourceVersion: String(this.#revision) };
      return { type: 'put' as const, object: { ...object, metadata } };
    });
    this.replica.apply(id, changes, String(this.#revision));
    await this.settled();
  }

  /** Upstream has it no more. */
  async remove(resource: string, object: KubeObject): Promise<void> {
    const id = this.#coverages.get(resource) ?? this.#cover(resource);
    this.#revision += 1;
    const metadata = { ...object.metadata, resourceVersion: String(this.#revision) };
    this.replica.apply(id, [{ type: 'delete', object: { ...object, metadata } }], String(this.#revision));
    await this.settled();
  }

  async pod(name: string, ready: boolean, ip = '10.1.0.1'): Promise<void> {
    const pod: KubeObject & Readonly<Record<string, unknown>> = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'shop', name, uid: `uid-${name}` },
      spec: { nodeName: 'here', containers: [] },
      status: { podIPs: [{ ip }], conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
    };
    await this.put('v1/pods', pod);
  }

  async connectivity(kind: 'online' | 'offline'): Promise<void> {
    this.#connectivity =
      kind === 'online' ? { kind, sinceMs: 1, server: 's' } : { kind, sinceMs: 1, reason: 'refused' };
    await this.tell();
  }

  async tell(): Promise<void> {
    for (const told of this.#told) told();
    await this.settled();
  }

  async settled(): Promise<void> {
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  }

  /** Addresses of the ready endpoints that are shown. */
  ready(name: string): readonly string[] {
    const shown = this.replica.reader(slices).get({ namespace: 'shop', name });
    const { endpoints = [] } = JSON.parse(shown?.json ?? '{}') as Partial<EndpointSlice>;
    return endpoints
      .filter(({ conditions }) => conditions?.ready === true)
      .flatMap(({ addresses }) => addresses);
  }

  #cover(resource: string): number {
    const { id } = this.replica.addCoverage({
      resource,
      namespace: '',
      labelSelector: '',
      fieldSelector: '',
    });
    this.#coverages.set(resource, id);
    this.replica.relist(id).commit('0');
    return id;
  }

  [Symbol.dispose](): void {
    this.facts[Symbol.dispose]();
    this.unit[Symbol.dispose]();
  }
}
