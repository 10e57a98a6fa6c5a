import type { Pod } from '@selvedge/kube/types';

import type { ObjectRef, ObjectSource } from '../ports.ts';
import { podRef, volumeReferences } from '../spec/index.ts';
import type { ReadyVolume } from './container-mounts.ts';

/** One pod whose volumes are made or being made. */
export interface Entry {
  readonly uid: string;
  pod: Pod;
  /** What keeps the objects that its volumes show up to date. */
  readonly follows: readonly Disposable[];
  /** `resource/namespace/name` of each of them. */
  readonly refs: ReadonlySet<string>;
  /** By volume name, once all are made. */
  ready: ReadonlyMap<string, ReadyVolume> | undefined;
  /** When it is to be brought up to date, in milliseconds since the epoch. */
  dueMs: number;
  /** It is being brought up to date. */
  busy: boolean;
}

const refKey = ({ resource, namespace = '', name }: ObjectRef): string => `${resource}/${namespace}/${name}`;

/** The pods that this process has volumes of. */
export class Entries {
  readonly #objects: Pick<ObjectSource, 'get' | 'follow'>;
  readonly #entries = new Map<string, Entry>();

  constructor(objects: Pick<ObjectSource, 'get' | 'follow'>) {
    this.#objects = objects;
  }

  get(uid: string): Entry | undefined {
    return this.#entries.get(uid);
  }

  all(): readonly Entry[] {
    return [...this.#entries.values()];
  }

  open(pod: Pod): Entry {
    const { uid } = podRef(pod);
    const known = this.#entries.get(uid);
    if (known !== undefined) return known;
    const refs = volumeReferences(pod);
    const entry: Entry = {
      uid,
      pod,
      follows: refs.map((ref) => this.#objects.follow(ref)),
      refs: new Set(refs.map(refKey)),
      ready: undefined,
      dueMs: Infinity,
      busy: false,
    };
    this.#entries.set(uid, entry);
    return entry;
  }

  close(uid: string): void {
    for (const follow of this.#entries.get(uid)?.follows ?? []) follow[Symbol.dispose]();
    this.#entries.delete(uid);
  }

  /** Those whose volumes show something else now that the object behind `ref` has changed. */
  touchedBy(ref: ObjectRef): readonly Entry[] {
    const isTouched = (entry: Entry): boolean =>
      ref.resource === 'pods' ? this.#takePod(entry, ref) : entry.refs.has(refKey(ref));
    return this.all().filter(isTouched);
  }

  /** Takes the pod's new metadata for the downward API; true if there is something new. */
  #takePod(entry: Entry, ref: ObjectRef): boolean {
    const { namespace, name, uid } = podRef(entry.pod);
    if (ref.namespace !== namespace || ref.name !== name) return false;
    const found = this.#objects.get<Pod>(ref);
    if (found.kind !== 'present' || podRef(found.object).uid !== uid) return false;
    const { labels, annotations } = entry.pod.metadata;
    const { metadata } = found.object;
    entry.pod = { ...entry.pod, metadata };
    return JSON.stringify([labels, annotations]) !== JSON.stringify([metadata.labels, metadata.annotations]);
  }
}
