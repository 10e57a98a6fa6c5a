import { BoundedMap, raceAbort, type Clock, type Random } from '@selvedge/kit';
import type { KubeMetrics } from '../metrics.ts';
import { Delays } from './delays.ts';

export interface KeyQueueOptions {
  /** Names the queue in metrics. */
  readonly name: string;
  /** Keys waiting, delayed or in work; a new one beyond it is refused. Default 10,000. */
  readonly maxKeys?: number;
  /** Bounds of the delays of `retry`, in milliseconds. Default 50 to 300,000. */
  readonly backoff?: { readonly initialMs: number; readonly maxMs: number };
}

export interface KeyQueueDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: KubeMetrics;
}

/**
 * A queue of keys for level-triggered work: a key is in it once however often it is added, is never given to two
 * workers at a time, and one added while it is in work comes again after `done`. Semantics of client-go's workqueue.
 */
export interface KeyQueue {
  /** Keys that wait to be taken; those that are delayed not counted. */
  readonly size: number;
  /** False if the key was refused: the queue is full or closed. */
  add(key: string): boolean;
  /** Adds the key after `ms`; an earlier time of the same key stands. */
  addAfter(key: string, ms: number): boolean;
  /** Adds the key after a delay that doubles each time until `forget`, with jitter. */
  retry(key: string): boolean;
  /** The next `retry` counts as the first. */
  forget(key: string): void;
  /** Waits for a key, which must be given back with `done`. Undefined once the queue is closed and empty. */
  take(signal: AbortSignal): Promise<string | undefined>;
  done(key: string): void;
  /** Takes no further keys, drops the delayed ones; resolves when those taken are done and the rest was taken. */
  drain(signal: AbortSignal): Promise<void>;
}

const defaults = { maxKeys: 10_000, backoff: { initialMs: 50, maxMs: 300_000 } };

class CollapsingQueue implements KeyQueue {
  readonly #options: KeyQueueOptions;
  readonly #deps: KeyQueueDeps;
  readonly #maxKeys: number;
  readonly #ready = new Set<string>();
  readonly #working = new Set<string>();
  readonly #again = new Set<string>();
  readonly #delays: Delays;
  readonly #attempts: BoundedMap<string, number>;
  #closed = false;
  #changed = Promise.withResolvers<void>();

  constructor(options: KeyQueueOptions, deps: KeyQueueDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#maxKeys = options.maxKeys ?? defaults.maxKeys;
    this.#attempts = new BoundedMap({ capacity: this.#maxKeys });
    this.#delays = new Delays(deps.clock, (key) => this.add(key));
  }

  get size(): number {
    return this.#ready.size;
  }

  add(key: string): boolean {
    if (!this.#admits(key)) return false;
    this.#delays.delete(key);
    if (this.#working.has(key)) this.#again.add(key);
    else this.#ready.add(key);
    this.#moved();
    return true;
  }

  addAfter(key: string, ms: number): boolean {
    if (ms <= 0) return this.add(key);
    if (!this.#admits(key)) return false;
    this.#delays.add(key, ms);
    return true;
  }

  retry(key: string): boolean {
    const { initialMs, maxMs } = this.#options.backoff ?? defaults.backoff;
    const attempt = this.#attempts.get(key) ?? 0;
    this.#attempts.set(key, attempt + 1);
    const bound = Math.min(maxMs, initialMs * 2 ** Math.min(attempt, 30));
    return this.addAfter(key, bound * (0.5 + 0.5 * this.#deps.random()));
  }

  forget(key: string): void {
    this.#attempts.delete(key);
  }

  async take(signal: AbortSignal): Promise<string | undefined> {
    for (;;) {
      signal.throwIfAborted();
      const [key] = this.#ready;
      if (key !== undefined) {
        this.#ready.delete(key);
        this.#working.add(key);
        this.#moved();
        return key;
      }
      if (this.#closed) return undefined;
      await raceAbort(this.#changed.promise, signal);
    }
  }

  done(key: string): void {
    this.#working.delete(key);
    if (this.#again.delete(key)) this.#ready.add(key);
    this.#moved();
  }

  async drain(signal: AbortSignal): Promise<void> {
    this.#closed = true;
    this.#moved();
    await this.#delays.clear();
    while (this.#ready.size + this.#working.size > 0) await raceAbort(this.#changed.promise, signal);
  }

  /** True if the key is known already or there is room for it. */
  #admits(key: string): boolean {
    if (this.#closed) return false;
    if (this.#ready.has(key) || this.#working.has(key) || this.#delays.has(key)) return true;
    if (this.#ready.size + this.#working.size + this.#delays.size < this.#maxKeys) return true;
    this.#deps.metrics.queueKeys.add({ queue: this.#options.name, outcome: 'dropped' });
    return false;
  }

  #moved(): void {
    this.#deps.metrics.queueDepth.set(this.#ready.size, { queue: this.#options.name });
    const changed = this.#changed;
    this.#changed = Promise.withResolvers();
    changed.resolve();
  }
}

export function createKeyQueue(options: KeyQueueOptions, deps: KeyQueueDeps): KeyQueue {
  return new CollapsingQueue(options, deps);
}
