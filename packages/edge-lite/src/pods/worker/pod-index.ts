import type { Pod } from '@selvedge/kube/types';

import type { ObjectRef, ObjectSource } from '../ports.ts';

/** What the API says of a pod by its uid. */
export type PodLookup =
  | { readonly kind: 'present'; readonly pod: Pod }
  /** It is not there any more, or was replaced by one of the same name. */
  | { readonly kind: 'gone' }
  /** Not known yet. */
  | { readonly kind: 'unknown' };

/** The pods of this node by uid. */
export interface PodIndex {
  find(uid: string): PodLookup;
  uids(): readonly string[];
  pods(): readonly Pod[];
  /** Takes note of a change; the uids of the pods that it is about. */
  changed(ref: ObjectRef): readonly string[];
}

const keyOf = (ref: ObjectRef): string => `${ref.namespace ?? ''}/${ref.name}`;

function refOf({ metadata }: Pod): ObjectRef {
  return { resource: 'pods', namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
}

export function createPodIndex(source: ObjectSource): PodIndex {
  /** Uid by name, for those that are there. */
  const uids = new Map<string, string>();
  const refs = new Map<string, ObjectRef>();
  const note = (ref: ObjectRef): string | undefined => {
    const found = source.get<Pod>(ref);
    const key = keyOf(ref);
    const before = uids.get(key);
    const uid = found.kind === 'present' ? found.object.metadata.uid : undefined;
    if (before !== undefined && before !== uid) refs.delete(before);
    if (uid === undefined) {
      uids.delete(key);
      return undefined;
    }
    uids.set(key, uid);
    refs.set(uid, ref);
    return uid;
  };
  const load = (): void => {
    for (const pod of source.list('pods')) note(refOf(pod));
  };
  const present = (uid: string): Pod | undefined => {
    const ref = refs.get(uid);
    const found = ref === undefined ? undefined : source.get<Pod>(ref);
    return found?.kind === 'present' && found.object.metadata.uid === uid ? found.object : undefined;
  };
  return {
    find(uid) {
      const pod = present(uid);
      if (pod !== undefined) return { kind: 'present', pod };
      if (!source.synced('pods')) return { kind: 'unknown' };
      // A pod that was not noted yet is no pod that is gone.
      load();
      const late = present(uid);
      return late === undefined ? { kind: 'gone' } : { kind: 'present', pod: late };
    },
    uids() {
      load();
      return [...refs.keys()];
    },
    pods: () => source.list('pods'),
    changed(ref) {
      const before = uids.get(keyOf(ref));
      const after = note(ref);
      return [...new Set([before, after])].filter((uid) => uid !== undefined);
    },
  };
}
