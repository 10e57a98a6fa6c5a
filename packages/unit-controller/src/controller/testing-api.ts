import { SelvedgeError } from '@selvedge/kit';
import {
  type IndexedStore,
  type KubeClient,
  type KubeObject,
  type PatchOptions,
  type Resource,
  createIndexedStore,
  isObject,
  mergePatched,
  resources,
} from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import {
  type EdgeNodeObject,
  type EdgeUnitObject,
  edgeNodeResource,
  edgeUnitResource,
  unitIndexers,
} from '../objects.ts';
import type { ClusterReaders } from './cluster-view.ts';

type Event = Parameters<IndexedStore<KubeObject>['apply']>[0][number];

/** Of whatever kind. */
type Anything = KubeObject & { readonly spec?: unknown; readonly status?: unknown };

interface Kind {
  readonly objects: Map<string, KubeObject>;
  /** Written, and not seen by whoever watches. */
  readonly unseen: Event[];
  readonly store: IndexedStore<KubeObject>;
}

const failure = (code: 'AlreadyExists' | 'Conflict' | 'NotFound', name: string): SelvedgeError =>
  new SelvedgeError(`${name}: ${code}`, { code });

const specOf = (object: KubeObject | undefined): string =>
  JSON.stringify(isObject(object) ? object['spec'] : undefined);

function versioned(
  before: KubeObject | undefined,
  object: KubeObject,
  version: string,
): KubeObject['metadata'] {
  const { generation = 0, uid = `uid-${version}` } = before?.metadata ?? {};
  const next = specOf(before) === specOf(object) ? generation : generation + 1;
  return { ...object.metadata, uid, generation: next, resourceVersion: version };
}

const isGone = ({ metadata }: KubeObject): boolean =>
  metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0;

const statusIn = (value: unknown): unknown => (isObject(value) ? value['status'] : undefined);

/** The one who applies a status is its only writer: what he leaves out goes. */
function patched(object: KubeObject, body: object, { patch, subresource }: PatchOptions): Anything {
  const merged = mergePatched(object, body) as KubeObject;
  if (subresource !== 'status') return merged;
  const status = statusIn(patch.type.includes('apply') ? body : merged);
  return { ...object, status };
}

/**
 * As much of an API server as the unit-controller asks of one: versions, generations, preconditions, finalizers, the
 * status as a subresource; and a watch that is as late as the test wants it.
 */
export class SmallApi {
  readonly #kinds = new Map<string, Kind>();
  #version = 0;
  writes = 0;

  constructor() {
    const kind = <T extends KubeObject>(resource: Resource<T>, store: IndexedStore<T>): void => {
      const anything = store as unknown as IndexedStore<KubeObject>;
      this.#kinds.set(resource.plural, { objects: new Map(), unseen: [], store: anything });
    };
    kind(edgeUnitResource, createIndexedStore<EdgeUnitObject>());
    kind(resources.nodes, createIndexedStore<Node>());
    kind(edgeNodeResource, createIndexedStore<EdgeNodeObject>({ indexers: unitIndexers }));
  }

  get readers(): ClusterReaders {
    const store = <T extends KubeObject>(resource: Resource<T>): IndexedStore<T> =>
      this.#kind(resource).store as unknown as IndexedStore<T>;
    return {
      units: store(edgeUnitResource),
      nodes: store(resources.nodes),
      edgeNodes: store(edgeNodeResource),
    };
  }

  get unseen(): number {
    return this.#kinds.values().reduce((sum, { unseen }) => sum + unseen.length, 0);
  }

  get<T extends KubeObject>(resource: Resource<T>, name: string): T | undefined {
    return this.#kind(resource).objects.get(name) as T | undefined;
  }

  /** Who watches is told of the next writes to one kind. */
  deliver(resource: Resource<KubeObject>, count = Infinity): void {
    const { unseen, store } = this.#kind(resource);
    const events = unseen.splice(0, Math.min(count, unseen.length));
    const { resourceVersion = '0' } = events.at(-1)?.object.metadata ?? {};
    if (events.length > 0) store.apply(events, resourceVersion);
  }

  deliverAll(): void {
    for (const resource of [edgeUnitResource, resources.nodes, edgeNodeResource]) this.deliver(resource);
  }

  put(resource: Resource<KubeObject>, object: Anything): KubeObject {
    const { objects, unseen } = this.#kind(resource);
    const { name = '' } = object.metadata;
    const before = objects.get(name);
    this.#version += 1;
    const after = { ...object, metadata: versioned(before, object, String(this.#version)) };
    if (isGone(after)) objects.delete(name);
    else objects.set(name, after);
    const kept = before === undefined ? 'ADDED' : 'MODIFIED';
    unseen.push({ type: isGone(after) ? 'DELETED' : kept, object: after });
    return after;
  }

  delete(resource: Resource<KubeObject>, name: string): void {
    const object = this.#kind(resource).objects.get(name);
    if (object === undefined) return;
    const metadata = { deletionTimestamp: '2026-01-02T00:00:00Z', ...object.metadata };
    this.put(resource, { ...object, metadata });
  }

  readonly create = async <T extends KubeObject>(resource: Resource<T>, object: T): Promise<T> => {
    const { name = '' } = object.metadata;
    this.writes += 1;
    if (this.get(resource, name) !== undefined) throw failure('AlreadyExists', name);
    return this.put(resource, object) as T;
  };

  readonly patch: KubeClient['patch'] = async <T extends KubeObject>(
    resource: Resource<T>,
    { name }: { readonly name: string },
    options: PatchOptions,
  ): Promise<T> => {
    this.writes += 1;
    const object = this.get(resource, name);
    if (object === undefined) throw failure('NotFound', name);
    const body = JSON.parse(JSON.stringify(options.patch.body)) as Partial<KubeObject>;
    const { resourceVersion = object.metadata.resourceVersion, uid = object.metadata.uid } =
      body.metadata ?? {};
    const holds = resourceVersion === object.metadata.resourceVersion && uid === object.metadata.uid;
    if (!holds) throw failure('Conflict', name);
    return this.put(resource, patched(object, body, options)) as unknown as T;
  };

  #kind(resource: { readonly plural: string }): Kind {
    const kind = this.#kinds.get(resource.plural);
    if (kind === undefined) throw new Error(`no ${resource.plural}`);
    return kind;
  }
}
