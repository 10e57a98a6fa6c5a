import { SelvedgeError, createMetricsRegistry, type ErrorCode } from '@selvedge/kit';
import { type ManualClock, createManualClock, recordingLogger } from '@selvedge/kit/testing';
import type { KubeClient } from '../client.ts';
import type { ConfigMap } from '../gen/types.ts';
import { createKubeMetrics } from '../metrics.ts';
import { resources } from '../resources.ts';
import type { WatchEvent } from '../watch/event.ts';
import type { Watch, WatchOptions } from '../watch/watch.ts';
import { createReflector } from './reflector.ts';
import type { Reflector, ReflectorOptions } from './reflector-types.ts';
import { type IndexedStore, type ReflectorStore, createIndexedStore } from './store.ts';

type Events = readonly WatchEvent<ConfigMap>[];
/** What a watch does: batches, then an error, its end, or silence. */
interface Script {
  readonly refuse?: SelvedgeError;
  readonly batches?: readonly Events[];
  readonly after?: 'end' | 'silence' | SelvedgeError;
}

export const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
export const failure = (code: ErrorCode): SelvedgeError => new SelvedgeError(`it is ${code}`, { code });
const map = (name: string, resourceVersion: string): ConfigMap => ({
  metadata: { name, uid: name, resourceVersion },
});
export const added = (name: string, version: string): WatchEvent<ConfigMap> => ({
  type: 'ADDED',
  object: map(name, version),
});
export const bookmark = (resourceVersion: string, endOfInitialEvents = false): WatchEvent<ConfigMap> => ({
  type: 'BOOKMARK',
  resourceVersion,
  endOfInitialEvents,
});

/** Watches that play scripts, one after the other, and what each was asked for. */
function watching(
  scripts: Script[],
  watches: WatchOptions[],
): (resource: unknown, watch: WatchOptions) => Promise<Watch<ConfigMap>> {
  async function* play(script: Script, signal: AbortSignal): AsyncGenerator<Events, void, undefined> {
    yield* script.batches ?? [];
    if (script.after === 'end') return;
    if (script.after instanceof SelvedgeError) throw script.after;
    await aborted(signal);
  }
  return async (_resource, watch) => {
    watches.push(watch);
    const script = scripts.shift() ?? { after: 'silence' };
    if (script.refuse !== undefined) throw script.refuse;
    return { [Symbol.asyncIterator]: () => play(script, watch.signal), close: () => undefined };
  };
}

/** The store, and the version of each list that replaced what was in it. */
function recorded(store: IndexedStore<ConfigMap>, replaced: string[]): ReflectorStore<ConfigMap> {
  return {
    beginReplace() {
      const replacement = store.beginReplace();
      return {
        ...replacement,
        commit(version) {
          replaced.push(version);
          return replacement.commit(version);
        },
      };
    },
    apply: store.apply.bind(store),
  };
}

export interface ReflectorWorld {
  readonly reflector: Reflector;
  readonly store: IndexedStore<ConfigMap>;
  /** The versions of the lists that it took. */
  readonly replaced: readonly string[];
  /** What it asked for. */
  readonly watches: readonly WatchOptions[];
  readonly clock: ManualClock;
  readonly log: ReturnType<typeof recordingLogger>;
}

/** A reflector, with an API server that plays `scripts` to one watch after the other, and answers lists with these names. */
export function world(
  scripts: Script[],
  options: Partial<ReflectorOptions<ConfigMap>> = {},
  lists: string[][] = [],
): ReflectorWorld {
  const [clock, log] = [createManualClock(), recordingLogger()];
  const watches: WatchOptions[] = [];
  const client = {
    async list() {
      const names = lists.shift();
      if (names === undefined) throw failure('Unavailable');
      return { items: names.map((name) => map(name, '50')), metadata: { resourceVersion: '50' } };
    },
    watch: watching(scripts, watches),
  };
  const store = createIndexedStore<ConfigMap>();
  const replaced: string[] = [];
  const reflector = createReflector<ConfigMap>(
    { resource: resources.configMaps, ...options },
    {
      client: client as unknown as Pick<KubeClient, 'list' | 'watch'>,
      store: recorded(store, replaced),
      clock,
      random: () => 1,
      log,
      metrics: createKubeMetrics(createMetricsRegistry()),
    },
  );
  return { reflector, store, replaced, watches, clock, log };
}
