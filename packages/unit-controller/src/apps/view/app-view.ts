import { type KubeObject, type Newest, type Resource, createNewest, keyOf } from '@selvedge/kube';
import type { ControllerRevision } from '@selvedge/kube/types';
import type { UnitAppObject } from '../../objects.ts';
import type { AppReaders } from './app-readers.ts';
import type { SeenChild } from '../children/index.ts';
import { appIndex } from '../owner.ts';

/** Objects that were written and may not be seen as written yet, of each kind. */
const maxWritten = 10_000;

/** An object that a UnitApp made, and where it is in the API. */
export interface Made {
  readonly resource: Resource<KubeObject>;
  readonly object: SeenChild;
}

interface Children {
  readonly resource: Resource<KubeObject>;
  readonly objects: AppReaders['children'][number]['objects'];
  readonly newest: Newest<SeenChild>;
}

/** What there is, as this process knows it: what it wrote itself counts at once. */
export class AppView {
  readonly readers: AppReaders;
  readonly apps: Newest<UnitAppObject>;
  readonly #revisions: Newest<ControllerRevision>;
  readonly #children: ReadonlyMap<string, Children>;

  constructor(readers: AppReaders) {
    const capacity = maxWritten;
    this.readers = readers;
    this.apps = createNewest({ capacity }, readers.apps);
    this.#revisions = createNewest({ capacity }, readers.revisions);
    this.#children = new Map(
      readers.children.map(({ resource, objects }) => {
        const newest = createNewest({ capacity }, objects);
        return [resource.plural, { resource, objects, newest }] as const;
      }),
    );
  }

  child(resource: Resource<KubeObject>, key: string): SeenChild | undefined {
    return this.#children.get(resource.plural)?.newest.get(key);
  }

  /** The answer to a write; what of it is kept. */
  wroteChild(resource: Resource<KubeObject>, answer: KubeObject): SeenChild {
    const seen = this.readers.keep(answer);
    this.#children.get(resource.plural)?.newest.wrote(seen);
    return seen;
  }

  forgetChild(resource: Resource<KubeObject>, key: string): void {
    this.#children.get(resource.plural)?.newest.forget(key);
  }

  /** All that says it belongs to the UnitApp; what was made a moment ago may be missing. */
  childrenOf(app: string): readonly Made[] {
    return Array.from(this.#children.values()).flatMap(({ resource, objects, newest }) =>
      objects
        .byIndex(appIndex, app)
        .map((object) => ({ resource, object: newest.get(keyOf(object)) ?? object })),
    );
  }

  /** With those that were made a moment ago, which are known by their names. */
  revisionsOf(app: string, made: Iterable<string>): readonly ControllerRevision[] {
    const seen = this.readers.revisions.byIndex(appIndex, app).map(keyOf);
    return Array.from(new Set([...seen, ...made])).flatMap((key) => this.#revisions.get(key) ?? []);
  }

  wroteRevision(revision: ControllerRevision): void {
    this.#revisions.wrote(revision);
  }
}
