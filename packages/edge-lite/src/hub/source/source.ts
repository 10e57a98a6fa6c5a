import { BoundedMap } from '@selvedge/kit';
import type { Lookup, ObjectRef, ObjectSource, SourceObjects, SourceResource } from '../../pods/index.ts';
import type { Coverages } from '../coverages/types.ts';
import type { Replica, Shown } from '../replica/types.ts';
import { ChangeFeed, shownObjects, type Touched } from './change-feed.ts';
import type { Followed } from './followed.ts';
import { heldAs, isFollowed, nameOf, refOf, specOfNode, specOfObject } from './words.ts';

export interface SourceOptions {
  readonly nodeName: string;
}

export interface SourceDeps {
  readonly replica: Pick<Replica, 'reader'>;
  readonly coverages: Pick<Coverages, 'covering'>;
  readonly followed: Pick<Followed, 'follow' | 'settling'>;
  /** Tells a subscriber of an object that may be read now. */
  readonly onSettled: (resource: SourceResource, settled: (ref: ObjectRef) => void) => Disposable;
}

interface Parsed {
  readonly version: bigint;
  readonly object: unknown;
}

const maxParsed = 256;

/** What the replica shows, in the words of the pod module: of pods and Nodes only this node's own. */
export class ReplicaSource implements ObjectSource {
  readonly #options: SourceOptions;
  readonly #deps: SourceDeps;
  readonly #parsed = new BoundedMap<string, Parsed>({ capacity: maxParsed });
  readonly #ownPod: string;

  constructor(options: SourceOptions, deps: SourceDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#ownPod = `"nodeName":${JSON.stringify(options.nodeName)}`;
  }

  get<T>(ref: ObjectRef): Lookup<T> {
    const { replica, followed } = this.#deps;
    if (followed.settling(ref)) return { kind: 'unknown' };
    const shown = replica.reader(heldAs(ref.resource)).get(nameOf(ref));
    if (shown === undefined || !this.#isOwn(ref.resource, shown)) {
      return { kind: this.#isComplete(ref) ? 'absent' : 'unknown' };
    }
    return { kind: 'present', object: this.#parse(ref.resource, shown) as T };
  }

  list<R extends SourceResource>(resource: R, namespace?: string): readonly SourceObjects[R][] {
    const reader = this.#deps.replica.reader(heldAs(resource));
    const own: SourceObjects[R][] = [];
    for (const shown of shownObjects(reader, namespace)) {
      if (this.#isOwn(resource, shown)) own.push(this.#parse(resource, shown) as SourceObjects[R]);
    }
    return own;
  }

  synced(resource: SourceResource): boolean {
    if (resource === 'configmaps' || resource === 'secrets') return false;
    return this.#deps.coverages.covering(specOfNode(resource, this.#options.nodeName)) !== undefined;
  }

  subscribe(resource: SourceResource, changed: (ref: ObjectRef) => void): Disposable {
    const { replica, followed, onSettled } = this.#deps;
    const tell = (touched: Touched): void => {
      const ref = refOf(resource, touched);
      if (!this.#concerns(resource, touched) || followed.settling(ref)) return;
      changed(ref);
    };
    const feed = new ChangeFeed(replica.reader(heldAs(resource)), tell);
    const settled = onSettled(resource, changed);
    return {
      [Symbol.dispose]() {
        feed[Symbol.dispose]();
        settled[Symbol.dispose]();
      },
    };
  }

  follow(ref: ObjectRef): Disposable {
    return this.#deps.followed.follow(ref);
  }

  /** Others on this node may read more than it needs itself. The text is cheaper to look at than the object. */
  #isOwn(resource: SourceResource, { name, json }: Pick<Shown, 'name' | 'json'>): boolean {
    if (resource === 'nodes') return name === this.#options.nodeName;
    return resource !== 'pods' || json.includes(this.#ownPod);
  }

  #concerns(resource: SourceResource, { name, before, after }: Touched): boolean {
    return [before, after].some((json) => json !== undefined && this.#isOwn(resource, { name, json }));
  }

  #isComplete(ref: ObjectRef): boolean {
    if (!isFollowed(ref.resource)) return this.synced(ref.resource);
    return this.#deps.coverages.covering(specOfObject(ref)) !== undefined;
  }

  /** Secrets do not stay in memory. */
  #parse(resource: SourceResource, { namespace, name, version, json }: Shown): unknown {
    if (resource === 'secrets') return JSON.parse(json);
    const key = `${resource} ${namespace}/${name}`;
    const known = this.#parsed.get(key);
    if (known?.version === version) return known.object;
    const object: unknown = JSON.parse(json);
    this.#parsed.set(key, { version, object });
    return object;
  }
}
