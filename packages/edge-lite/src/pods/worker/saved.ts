import type { PodStatus } from '@selvedge/kube/types';

import type { CrashBackoff } from '../plan/index.ts';
import type { RuntimeKind, RuntimeRepository } from '../../store/index.ts';
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
  /** When it began to end, in milliseconds since the epoch: for the next process. */
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
export type SavedPodStore = Pick<RuntimeRepository, 'get' | 'put' | 'list' | 'delete'>;

const kind: RuntimeKind<SavedPod> = { name: 'pod' };

/** Losing the last change in a power cut costs a transition time or a back-off, so no write waits for the disk. */
export function createSavedPods(store: SavedPodStore): SavedPods {
  return {
    get: (uid) => store.get(kind, uid),
    put(uid, document) {
      store.put(kind, { key: uid, document }, { durable: false });
    },
    delete(uid) {
      store.delete(kind, uid);
    },
    uids: () => store.list(kind).map(({ key }) => key),
  };
}
