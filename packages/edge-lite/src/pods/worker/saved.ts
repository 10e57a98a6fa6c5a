import type { PodStatus } from '@selvedge/kube/types';

import type { CrashBackoff } from '../plan/index.ts';
import type { Verdict } from '../status/index.ts';

/** What is remembered of a pod across restarts. Everything else is read from the runtime and from the API objects. */
export interface SavedPod {
  /** It passed admission on this node; it is not asked again. */
  readonly admitted?: boolean;
  /** The last status reported. */
  readonly status?: PodStatus;
  /** The crash back-off, by container name. */
  readonly crashes?: Readonly<Record<string, CrashBackoff>>;
  /** Containers that were killed to be started again, by id. */
  readonly owedRestarts?: readonly string[];
  /** It ends for a reason of its own. */
  readonly verdict?: Verdict;
  /** When it began to end, in milliseconds since the epoch. */
  readonly endingSinceMs?: number;
}

/** Where documents about pods are kept. */
export interface SavedPods {
  get(uid: string): SavedPod | undefined;
  put(uid: string, saved: SavedPod): void;
  delete(uid: string): void;
  /** Uids of all pods that have a document. */
  uids(): readonly string[];
}

/** The part of the runtime repository that is needed here. */
export interface DocumentStore {
  get(kind: string, key: string): unknown;
  put(kind: string, key: string, document: unknown, options: { readonly durable: boolean }): void;
  list(kind: string): readonly { readonly key: string }[];
  delete(kind: string, key: string): boolean;
}

const kind = 'pod';

/** Losing the last change in a power cut costs a transition time or a back-off, so no write waits for the disk. */
export function createSavedPods(store: DocumentStore): SavedPods {
  return {
    get: (uid) => store.get(kind, uid) as SavedPod | undefined,
    put(uid, saved) {
      store.put(kind, uid, saved, { durable: false });
    },
    delete(uid) {
      store.delete(kind, uid);
    },
    uids: () => store.list(kind).map(({ key }) => key),
  };
}
