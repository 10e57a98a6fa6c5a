import type { ContainerEventResponse } from '@selvedge/containerd-grpc-types';
import {
  type Backoff,
  type Clock,
  type Logger,
  type Random,
  createBackoff,
  createPoke,
  hasCode,
  isAbort,
  jittered,
  scoped,
} from '@selvedge/kit';

import type { Cri } from './cri.ts';
import { labels } from './labels.ts';
import type { Observer } from './observe.ts';
import { type Fingerprints, type RelistPace, changedPods, fingerprints, relistDelayMs } from './relist.ts';

export interface WatchOptions {
  readonly pace: RelistPace;
  /** Between attempts to open the event stream again, in milliseconds. */
  readonly streamRetry: { readonly initialMs: number; readonly maxMs: number };
}

export interface WatchDeps {
  readonly cri: Cri;
  readonly observer: Pick<Observer, 'list'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Something of this pod changed in the runtime. */
  readonly changed: (uid: string) => void;
}

/** Learns what changes in the runtime without being asked for it. */
export interface RuntimeWatch {
  /** Follows the event stream where the runtime has one; returns at once where it has not. */
  follow(signal: AbortSignal): Promise<void>;
  /** Lists again and again, and tells which pods changed. */
  relist(signal: AbortSignal): Promise<void>;
  /** Lists soon: what was known may be out of date. */
  hurry(): void;
}

function podOf(event: ContainerEventResponse): string | undefined {
  const { podSandboxStatus: sandbox } = event;
  return sandbox?.labels[labels.podUid] ?? sandbox?.metadata?.uid;
}

/** A runtime without a stream says so at once; one that says nothing for so long has one. */
const openAfterMs = 2000;

async function followOnce(deps: WatchDeps, opened: () => void, signal: AbortSignal): Promise<void> {
  using scope = scoped(signal);
  const open = deps.clock.sleep(openAfterMs, scope.signal).then(opened, () => undefined);
  try {
    for await (const event of deps.cri.runtime.getContainerEvents({}, { signal })) {
      opened();
      const uid = podOf(event);
      if (uid !== undefined && uid !== '') deps.changed(uid);
    }
  } finally {
    scope.abort();
    await open;
  }
}

export function createRuntimeWatch(options: WatchOptions, deps: WatchDeps): RuntimeWatch {
  const soon = createPoke(deps.clock);
  let streaming = false;
  let known: Fingerprints = new Map();
  let quiet = 0;

  const lost = async (backoff: Backoff, error: unknown, signal: AbortSignal): Promise<void> => {
    streaming = false;
    soon.poke();
    deps.log.debug('runtime event stream ended', { error });
    await deps.clock.sleep(backoff.nextDelayMs(), signal);
  };
  const round = async (signal: AbortSignal): Promise<void> => {
    try {
      const next = fingerprints(await deps.observer.list(undefined, signal));
      const changed = changedPods(known, next);
      known = next;
      quiet = changed.length === 0 ? quiet + 1 : 0;
      for (const uid of changed) deps.changed(uid);
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      deps.log.debug('relist failed', { error });
    }
  };
  return {
    async follow(signal) {
      const backoff = createBackoff({ ...options.streamRetry, resetAfterMs: 60_000 }, deps);
      const opened = (): void => {
        streaming = true;
        backoff.up();
      };
      while (!signal.aborted) {
        try {
          await followOnce(deps, opened, signal);
          await lost(backoff, 'closed by the runtime', signal);
        } catch (error) {
          if (isAbort(error, signal)) throw error;
          if (hasCode(error, 'Unsupported')) {
            deps.log.info('runtime has no event stream, relisting instead');
            return;
          }
          await lost(backoff, error, signal);
        }
      }
    },
    async relist(signal) {
      while (!signal.aborted) {
        await round(signal);
        await soon.wait(jittered(relistDelayMs(options.pace, { quiet, streaming }), deps.random), signal);
      }
    },
    hurry: () => soon.poke(),
  };
}
