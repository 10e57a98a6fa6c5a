import type { Logger } from '@selvedge/kit';
import type { Lookup, ObjectRef, ObjectSource, SourceObjects, SourceResource } from '../pods/index.ts';
import type { ObjectKey, ObjectRepository } from '../store/index.ts';
import { type Followed, collectionOf } from './followed.ts';
import type { Subscriptions } from './subscriptions.ts';

export interface SourceDeps {
  readonly objects: ObjectRepository;
  readonly followed: Pick<Followed, 'follow'>;
  readonly subscriptions: Subscriptions<string, ObjectRef>;
  readonly log: Logger;
}

/** Resources of which only single objects are held, each with a list-watch of its own. */
export const followedResources: readonly SourceResource[] = ['configmaps', 'secrets'];

const keyOf = ({ resource, namespace, name }: ObjectRef): ObjectKey => ({
  resource,
  namespace: namespace ?? '',
  name,
});

/** The reader's side of the replica: what is on disk, whoever filled it. */
export function createObjectSource({ objects, followed, subscriptions }: SourceDeps): ObjectSource {
  const complete = (key: ObjectKey): boolean => {
    const single = followedResources.some((resource) => resource === key.resource);
    return objects.collection(single ? collectionOf(key) : key.resource)?.synced === true;
  };
  return {
    get<T>(ref: ObjectRef): Lookup<T> {
      const key = keyOf(ref);
      const object = objects.get(key);
      if (object !== undefined) return { kind: 'present', object: object as T };
      return { kind: complete(key) ? 'absent' : 'unknown' };
    },
    list<R extends SourceResource>(resource: R): readonly SourceObjects[R][] {
      return objects.keys(resource).map((key) => objects.get(key) as SourceObjects[R]);
    },
    synced: (resource) =>
      followedResources.includes(resource) || objects.collection(resource)?.synced === true,
    subscribe: (resource, changed) => subscriptions.add(resource, changed),
    follow: (ref) => followed.follow(keyOf(ref)),
  };
}
