import type { Scope } from '@selvedge/kit';
import type { Pod } from '@selvedge/kube/types';

import type { PodRef } from '../ports.ts';
import type { Waiting } from '../status/index.ts';
import type { SavedPod, SavedPods } from './saved.ts';

/** What this process knows of one pod. */
export interface PodState {
  readonly uid: string;
  /** As it was last seen; what is gone from the API is ended by it. */
  pod: Pod | undefined;
  readonly saved: SavedPod;
  save(change: Partial<SavedPod>): void;
  volumes: 'unknown' | 'ready' | 'gone';
  /** Its address, or the node's with the host's network; empty while there is none. */
  podIP: string;
  /** Why containers do not run, by name. */
  readonly waiting: Map<string, Waiting>;
  /** Steps that failed, and until when they are left alone, by the monotonic clock. */
  readonly holds: Map<string, number>;
  readonly stoppedSandboxes: Set<string>;
  /** Back-offs that were announced by an event, by container name. */
  readonly announced: Map<string, number>;
  /** Rounds that failed in a row. */
  failures: number;
  /** Its end was reported. */
  reported: boolean;
  /** When it began to end, by the monotonic clock; as far as is known, if that was before this process. */
  endingSinceMs: number | undefined;
  /** When a pod that is new here was first seen, by the monotonic clock; until it runs. */
  newSinceMs: number | undefined;
  /** Ends what the round under way is waiting for. */
  interrupt: Scope | undefined;
  /** Probes, by container id. */
  readonly probes: Map<string, Disposable>;
  /** Objects that are kept up to date for it. */
  readonly follows: Map<string, Disposable>;
}

export interface PodStates {
  of(uid: string): PodState;
  find(uid: string): PodState | undefined;
  all(): Iterable<PodState>;
  /** Forgets the pod, here and on disk. */
  forget(uid: string): void;
  /** Lets go of everything that is followed or probed; what is saved stays. */
  dispose(): void;
}

function release(state: PodState): void {
  for (const probe of state.probes.values()) probe[Symbol.dispose]();
  for (const follow of state.follows.values()) follow[Symbol.dispose]();
  state.probes.clear();
  state.follows.clear();
}

function createState(uid: string, store: SavedPods): PodState {
  let saved = store.get(uid) ?? {};
  return {
    uid,
    pod: undefined,
    get saved() {
      return saved;
    },
    save(change) {
      saved = { ...saved, ...change };
      store.put(uid, saved);
    },
    volumes: 'unknown',
    podIP: '',
    waiting: new Map(),
    holds: new Map(),
    stoppedSandboxes: new Set(),
    announced: new Map(),
    failures: 0,
    reported: false,
    endingSinceMs: undefined,
    newSinceMs: undefined,
    interrupt: undefined,
    probes: new Map(),
    follows: new Map(),
  };
}

export function createPodStates(store: SavedPods): PodStates {
  const states = new Map<string, PodState>();
  return {
    of(uid) {
      const state = states.get(uid) ?? createState(uid, store);
      states.set(uid, state);
      return state;
    },
    find: (uid) => states.get(uid),
    all: () => states.values(),
    forget(uid) {
      const state = states.get(uid);
      if (state !== undefined) release(state);
      states.delete(uid);
      store.delete(uid);
    },
    dispose() {
      for (const state of states.values()) release(state);
    },
  };
}

/** A pod of which only its name is known, so that what is left of it can be ended. */
export function bareOf(ref: PodRef): Pod {
  return { metadata: { ...ref }, spec: { containers: [] } };
}
