import {
  type Backoff,
  type Clock,
  type Counter,
  type Limiter,
  type Logger,
  type MetricsRegistry,
  type Poke,
  type Random,
  type Service,
  type TaskGroup,
  createBackoff,
  createLimiter,
  createPoke,
  createTaskGroup,
  limitRepeats,
  raceAbort,
  scoped,
} from '@selvedge/kit';
import type { EventRecorder } from '@selvedge/kube';
import type { OverlayEntry, Replica } from '../replica/types.ts';
import type { Upstream } from '../upstream/types.ts';
import { type ReplayOneDeps, type Replayed, replayOne } from './replay-one.ts';
import { lossEvent, lossOf } from './report.ts';

export interface ReplayOptions {
  readonly nodeName: string;
  /** Overlays that are sent at a time. Default 4. */
  readonly parallel?: number;
  /** How long others wait for the overlays at most, in milliseconds. Default 15,000. */
  readonly maxGateMs?: number;
}

export interface ReplayDeps extends Omit<ReplayOneDeps, 'nodeName'> {
  readonly replica: Pick<Replica, 'learn' | 'overlay' | 'overlays' | 'settleOverlay'>;
  readonly upstream: Pick<Upstream, 'connectivity' | 'onConnectivity'>;
  readonly recorder: Pick<EventRecorder, 'record'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

/** Brings what was said while the cloud was away upstream, once it is back. */
export interface Replay extends Service {
  /** Another overlay waits. */
  soon(): void;
  /**
   * Resolves when no overlay waits that could be sent, or after the longest time that others should wait: until then what
   * upstream shows is older than what is known here.
   */
  drained(signal: AbortSignal): Promise<void>;
}

const repeatWindowMs = 60_000;
const nameOf = ({ resource, namespace, name }: OverlayEntry): object => ({ resource, namespace, name });
const backoffOptions = { initialMs: 500, maxMs: 30_000, resetAfterMs: 1_000 };

class OverlayReplay implements Replay {
  readonly name = 'replay';
  readonly #options: Required<ReplayOptions>;
  readonly #deps: ReplayDeps;
  readonly #log: Logger;
  readonly #poke: Poke;
  readonly #tasks: TaskGroup;
  readonly #limiter: Limiter;
  readonly #backoff: Backoff;
  readonly #replays: Counter;
  /** Resolves when the pass that is under way, or a later one, has sent all. */
  #pass = Promise.withResolvers<void>();
  #subscription: Disposable | undefined;

  constructor(options: ReplayOptions, deps: ReplayDeps) {
    this.#options = { parallel: 4, maxGateMs: 15_000, ...options };
    this.#deps = deps;
    this.#log = limitRepeats({ windowMs: repeatWindowMs }, deps);
    this.#poke = createPoke(deps.clock);
    this.#limiter = createLimiter({ capacity: this.#options.parallel });
    this.#backoff = createBackoff(backoffOptions, deps);
    this.#tasks = createTaskGroup(
      { name: this.name },
      { onFailure: (error) => this.#log.error('replay failed', { error }) },
    );
    this.#replays = deps.metrics.counter({
      name: 'selvedge_hub_replays_total',
      help: 'Local changes brought upstream after a cut, by outcome (sent, same, gone, replaced, refused).',
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#subscription = this.#deps.upstream.onConnectivity(() => this.#poke.poke());
    this.#tasks.run('replay', (inner) => this.#run(inner));
    this.#poke.poke();
  }

  async stop(): Promise<void> {
    this.#subscription?.[Symbol.dispose]();
    await this.#tasks.stop();
  }

  soon(): void {
    this.#poke.poke();
  }

  async drained(signal: AbortSignal): Promise<void> {
    if (this.#deps.replica.overlays().length === 0) return;
    using scope = scoped(signal);
    const late = this.#deps.clock.sleep(this.#options.maxGateMs, scope.signal);
    const done = raceAbort(this.#pass.promise, scope.signal);
    try {
      await Promise.race([late, done]);
    } finally {
      scope.abort();
      await Promise.allSettled([late, done]);
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    for (let pauseMs: number | undefined; ; ) {
      await this.#poke.wait(pauseMs, signal);
      const complete = this.#deps.upstream.connectivity.kind !== 'online' || (await this.#sendAll(signal));
      pauseMs = complete ? undefined : this.#backoff.nextDelayMs();
    }
  }

  /** One pass, the oldest first. False if some are to be tried again while the cloud stays. */
  async #sendAll(signal: AbortSignal): Promise<boolean> {
    const waiting = this.#deps.replica.overlays().toSorted((a, b) => a.sinceMs - b.sinceMs);
    const done = await Promise.all(
      waiting.map((entry) => this.#limiter.run(signal, () => this.#sendOne(entry, signal))),
    );
    const complete = done.every(Boolean);
    if (complete && this.#deps.upstream.connectivity.kind === 'online') {
      this.#pass.resolve();
      this.#pass = Promise.withResolvers();
    }
    return complete;
  }

  async #sendOne(entry: OverlayEntry, signal: AbortSignal): Promise<boolean> {
    if (this.#deps.upstream.connectivity.kind !== 'online') return true;
    try {
      const replayed = await replayOne(entry, { ...this.#deps, nodeName: this.#options.nodeName }, signal);
      if (replayed === undefined) return false;
      this.#report(entry, replayed);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      this.#log.warn('a local change was not taken by the API server yet', { ...nameOf(entry), error });
      return false;
    }
  }

  #report(entry: OverlayEntry, replayed: Replayed): void {
    this.#replays.add({ outcome: replayed.kind });
    const loss = lossOf(replayed);
    if (loss === undefined) return;
    this.#deps.log.warn('a local change was given up', { ...nameOf(entry), uid: entry.uid, loss });
    const { nodeName } = this.#options;
    const about = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: nodeName };
    this.#deps.recorder.record(about, lossEvent(entry, loss));
  }
}

/**
 * Sends each overlay once the cloud is back, the oldest first: as the difference that it makes, with the object's uid as its
 * precondition, until upstream says the same. What can never be sent is given up with a log line, a metric and an Event on
 * the Node. Doing it twice changes nothing.
 */
export function createReplay(options: ReplayOptions, deps: ReplayDeps): Replay {
  return new OverlayReplay(options, deps);
}
