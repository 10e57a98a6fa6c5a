import type { KubeObject } from '@selvedge/kube';
import { ChangeCursor } from '../replica/index.ts';
import type { ObjectName, ResourceReader } from '../replica/types.ts';

export interface MirrorOptions<T> {
  readonly reader: ResourceReader;
  /** What is kept of an object; undefined if nothing is. */
  readonly pick: (object: KubeObject) => T | undefined;
}

/** What a program of this process must know at once of some objects of one resource, as they are shown. */
export interface Mirror<T> extends Disposable {
  get(at: ObjectName): T | undefined;
  /** By `namespace/name`. */
  entries(): MapIterator<[string, T]>;
  values(): MapIterator<T>;
}

/** Objects read at a time when the history does not reach back. */
const pageSize = 500;

const keyOf = ({ namespace, name }: ObjectName): string => `${namespace}/${name}`;

class ResourceMirror<T> implements Mirror<T> {
  readonly #options: MirrorOptions<T>;
  readonly #changed: () => void;
  readonly #kept = new Map<string, T>();
  readonly #cursor: ChangeCursor;
  readonly #subscription: Disposable;

  constructor(options: MirrorOptions<T>, changed: () => void) {
    this.#options = options;
    this.#changed = changed;
    this.#cursor = new ChangeCursor(options.reader);
    this.#load();
    this.#subscription = options.reader.subscribe(() => this.#catchUp());
  }

  get(at: ObjectName): T | undefined {
    return this.#kept.get(keyOf(at));
  }

  entries(): MapIterator<[string, T]> {
    return this.#kept.entries();
  }

  values(): MapIterator<T> {
    return this.#kept.values();
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }

  #catchUp(): void {
    let touched = false;
    const state = this.#cursor.catchUp((change) => {
      touched = this.#take(change, change.after) || touched;
    });
    if (state === 'expired') this.#load();
    if (touched || state === 'expired') this.#changed();
  }

  #load(): void {
    const { reader } = this.#options;
    this.#kept.clear();
    let after: ObjectName | undefined;
    for (;;) {
      const page = reader.page({ limit: pageSize, after });
      if (page === 'expired') return;
      for (const shown of page) this.#take(shown, shown.json);
      after = page.at(-1);
      if (after === undefined) return;
    }
  }

  /** True if what is kept is another now. */
  #take(at: ObjectName, json: string | undefined): boolean {
    const key = keyOf(at);
    const picked = json === undefined ? undefined : this.#options.pick(JSON.parse(json) as KubeObject);
    if (picked === undefined) return this.#kept.delete(key);
    this.#kept.set(key, picked);
    return true;
  }
}

/** `changed` is called after what is kept became another. */
export function createMirror<T>(options: MirrorOptions<T>, changed: () => void): Mirror<T> {
  return new ResourceMirror(options, changed);
}
