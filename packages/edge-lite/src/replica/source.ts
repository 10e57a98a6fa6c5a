import type { Lookup, ObjectRef, ObjectSource, SourceObjects } from '../pods/index.ts';
import type { ObjectKey, ObjectRepository } from '../store/index.ts';
import { type Followed, collectionOf } from './followed.ts';
import { followedResources, keyOfRef, storedName } from './kinds.ts';
import type { Subscriptions } from './subscriptions.ts';

export interface SourceDeps {
  readonly objects: ObjectRepository;
  readonly followed: Pick<Followed, 'follow' | 'settling'>;
  readonly subscriptions: Subscriptions<string, ObjectRef>;
}

/** The reader's side of the replica: what is on disk, whoever filled it. */
export function createObjectSource({ objects, followed, subscriptions }: SourceDeps): ObjectSource {
  const synced = (collection: string): boolean => objects.collection(collection)?.synced === true;
  const complete = (ref: ObjectRef, key: ObjectKey): boolean =>
    synced(followedResources.includes(ref.resource) ? collectionOf(key) : key.resource);
  return {
    get<T>(ref: ObjectRef): Lookup<T> {
      const key = keyOfRef(ref);
      if (followed.settling(key)) return { kind: 'unknown' };
      const object = objects.get(key);
      if (object !== undefined) return { kind: 'present', object: object as T };
      return { kind: complete(ref, key) ? 'absent' : 'unknown' };
    },
    list<R extends keyof SourceObjects>(resource: R, namespace?: string): readonly SourceObjects[R][] {
      const keys = objects.keys(storedName(resource), namespace);
      return keys.map((key) => objects.get(key) as SourceObjects[R]);
    },
    synced: (resource) => !followedResources.includes(resource) && synced(storedName(resource)),
    subscribe: (resource, changed) => subscriptions.add(storedName(resource), changed),
    follow: (ref) => followed.follow(keyOfRef(ref)),
  };
}
