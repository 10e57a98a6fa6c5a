import {
  type Clock,
  type Logger,
  type MetricsRegistry,
  type Random,
  type Service,
  createTaskGroup,
  jittered,
} from '@selvedge/kit';
import type { ReplicaStore } from '../../store/index.ts';
import { Core } from './core.ts';
import { LocalChanges } from './local-changes.ts';
import { countObjects, sampleReplica } from './metrics.ts';
import { placeOf } from './order.ts';
import { upstreamVersionOf } from './preconditions.ts';
import { createReader } from './reader.ts';
import type { ApplyViews, Rebase, Replica, ResourceReader } from './types.ts';
import { type MatchesSelection, UpstreamChanges } from './upstream-changes.ts';
import { naturalText, parseVersion } from './versions.ts';

export interface ReplicaOptions {
  /** Text of recent changes, over all resources. Default 4 MiB. */
  readonly maxHistoryBytes?: number;
  /** Recent changes, over all resources. Default 10,000. */
  readonly maxHistoryEntries?: number;
  /** Both, while an open watch has not read what is oldest yet. Default 16 MiB. */
  readonly maxUnreadHistoryBytes?: number;
  /** Default 40,000. */
  readonly maxUnreadHistoryEntries?: number;
  /** Objects with a local change that upstream has not confirmed. Default 1,000. */
  readonly maxOverlays?: number;
  /** Their text. Default 8 MiB. */
  readonly maxOverlayBytes?: number;
  /** Default 1,000. */
  readonly maxCoverages?: number;
  /** Bytes in use of the state file beyond which nothing further is covered. Default 256 MiB. */
  readonly maxStoreBytes?: number;
  /** Objects whose heartbeats wait in memory. Default 256; one more, and they are written. */
  readonly maxWaiting?: number;
  /** How long a heartbeat or a bookmark may wait to be written. Default 15 min. */
  readonly flushEveryMs?: number;
}

export interface ReplicaDeps {
  readonly store: ReplicaStore;
  readonly rebase: Rebase;
  readonly applyViews: ApplyViews;
  readonly matchesSelection: MatchesSelection;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

/**
 * The replica can be used as soon as it is made: it reads its books then. As a service it writes from time to time what
 * may wait, and the rest when it stops; nothing may change it afterwards.
 */
export interface RunningReplica extends Replica, Service {
  /** Writes what may wait now: heartbeats, and how far upstream is. */
  flush(): void;
}

const mebibyte = 2 ** 20;

const defaults = {
  maxHistoryBytes: 4 * mebibyte,
  maxHistoryEntries: 10_000,
  maxUnreadHistoryBytes: 16 * mebibyte,
  maxUnreadHistoryEntries: 40_000,
  maxOverlays: 1000,
  maxOverlayBytes: 8 * mebibyte,
  maxCoverages: 1000,
  maxStoreBytes: 256 * mebibyte,
  maxWaiting: 256,
  flushEveryMs: 15 * 60_000,
};

type Settings = Required<ReplicaOptions>;

function createFlusher(
  { flushEveryMs }: Pick<Settings, 'flushEveryMs'>,
  deps: ReplicaDeps & { readonly flush: (last: boolean) => void },
): Service {
  const { clock, random, log, flush } = deps;
  const onFailure = (error: unknown): void => log.error('replica cannot be written', { error });
  const tasks = createTaskGroup({ name: 'replica' }, { onFailure });
  const attempt = (last: boolean): void => {
    try {
      flush(last);
    } catch (error) {
      log.warn('replica could not write what waits', { error });
    }
  };
  const loop = async (signal: AbortSignal): Promise<void> => {
    for (;;) {
      await clock.sleep(jittered(flushEveryMs, random), signal);
      attempt(false);
    }
  };
  return {
    name: 'replica',
    async start() {
      tasks.run('flush', loop);
    },
    async stop() {
      await tasks.stop();
      attempt(true);
    },
  };
}

/**
 * What `Replica.listVersion` tells. Changes that were told before the list was made lie below; it may have missed local
 * ones that are made while it is on its way, but they come with a version above the present one.
 */
function listVersionOf(core: Core): Replica['listVersion'] {
  return (resource, upstream) => {
    const version = parseVersion(upstream);
    const { order, history } = core.ledger.track(resource);
    if (version === undefined || !order.born) return naturalText(upstream);
    return (history.before(version) ?? placeOf(order, version)).toString();
  };
}

function readersOf(core: Core): Replica['reader'] {
  const readers = new Map<string, ResourceReader>();
  return (resource) => {
    const reader = readers.get(resource) ?? createReader(resource, core.ledger);
    readers.set(resource, reader);
    return reader;
  };
}

export function createReplica(options: ReplicaOptions, deps: ReplicaDeps): RunningReplica {
  const settings = { ...defaults, ...options };
  const history = {
    maxBytes: settings.maxHistoryBytes,
    maxEntries: settings.maxHistoryEntries,
    maxUnreadBytes: settings.maxUnreadHistoryBytes,
    maxUnreadEntries: settings.maxUnreadHistoryEntries,
  };
  const core = new Core({ ...settings, ...history }, { ...deps, counted: countObjects(deps) });
  const upstream = new UpstreamChanges(settings, core, deps);
  const local = new LocalChanges(core, deps);
  sampleReplica(core, deps);
  const flusher = createFlusher(settings, { ...deps, flush: (last) => core.ledger.flush(last) });
  return {
    name: flusher.name,
    start: (signal) => flusher.start(signal),
    stop: () => flusher.stop(),
    flush: () => core.ledger.flush(false),
    reader: readersOf(core),
    resources: () => upstream.resources(),
    coverages: () => upstream.coverages(),
    addCoverage: (spec) => upstream.addCoverage(spec),
    dropCoverage: (id) => upstream.dropCoverage(id),
    apply: (id, changes, upstreamVersion) => upstream.apply(id, changes, upstreamVersion),
    relist: (id, how) => upstream.relist(id, how),
    learn: (resource, object) => upstream.learn(resource, object),
    upstreamVersion: upstreamVersionOf(core),
    listVersion: listVersionOf(core),
    base: (resource, at) => local.base(resource, at),
    putOverlay: (put) => local.putOverlay(put),
    overlay: (...of) => local.overlay(...of),
    overlays: () => local.overlays(),
    settleOverlay: (resource, at, answer) => local.settleOverlay(resource, at, answer),
    refresh: (resource, names) => local.refresh(resource, names),
  };
}
