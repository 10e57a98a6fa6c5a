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

/** First in, first out. A Set or an array that is shifted takes time for each key that went before. */
class Line {
  #keys: string[] = [];
  #head = 0;

  push(key: string): void {
    this.#keys.push(key);
  }

  shift(): string | undefined {
    const key = this.#keys[this.#head];
    if (key === undefined) return undefined;
    this.#head += 1;
    if (2 * this.#head > this.#keys.length) {
      this.#keys = this.#keys.slice(this.#head);
      this.#head = 0;
    }
    return key;
  }
}

class CollapsingQueue implements KeyQueue {
  readonly #options: KeyQueueOptions;
  readonly #deps: KeyQueueDeps;
  readonly #maxKeys: number;
  /** The keys of `#line`. */
  readonly #ready = new Set<string>();
  readonly #line = new Line();
  readonly #working = new Set<string>();
  readonly #again = new Set<string>();
  readonly #delays: Delays;
  readonly #attempts: BoundedMap<string, number>;
  /** Workers without a key; for each key that comes, one of them is woken. */
  readonly #waiting = new Set<PromiseWithResolvers<void>>();
  readonly #drained = Promise.withResolvers<void>();
  #closed = false;

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
    else this.#offer(key);
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
      if (signal.aborted) this.#wake();
      signal.throwIfAborted();
      const key = this.#line.shift();
      if (key !== undefined) {
        this.#ready.delete(key);
        this.#working.add(key);
        this.#measure();
        return key;
      }
      if (this.#closed) return undefined;
      await this.#turn(signal);
    }
  }

  done(key: string): void {
    this.#working.delete(key);
    if (this.#again.delete(key)) this.#offer(key);
    this.#settle();
  }

  async drain(signal: AbortSignal): Promise<void> {
    this.#closed = true;
    for (const worker of this.#waiting) worker.resolve();
    this.#waiting.clear();
    await this.#delays.clear();
    this.#settle();
    await raceAbort(this.#drained.promise, signal);
  }

  /** True if the key is known already or there is room for it. */
  #admits(key: string): boolean {
    if (this.#closed) return false;
    if (this.#ready.has(key) || this.#working.has(key) || this.#delays.has(key)) return true;
    if (this.#ready.size + this.#working.size + this.#delays.size < this.#maxKeys) return true;
    this.#deps.metrics.queueKeys.add({ queue: this.#options.name, outcome: 'dropped' });
    return false;
  }

  #offer(key: string): void {
    if (this.#ready.has(key)) return;
    this.#ready.add(key);
    this.#line.push(key);
    this.#measure();
    this.#wake();
  }

  /** Until a key may be there, or the queue is closed. */
  async #turn(signal: AbortSignal): Promise<void> {
    const worker = Promise.withResolvers<void>();
    this.#waiting.add(worker);
    try {
      await raceAbort(worker.promise, signal);
    } catch (error) {
      // Whoever was woken and is gone leaves the key to the next.
      if (!this.#waiting.delete(worker)) this.#wake();
      throw error;
    }
  }

  #wake(): void {
    const [worker] = this.#waiting;
    if (worker === undefined) return;
    this.#waiting.delete(worker);
    worker.resolve();
  }

  #settle(): void {
    if (this.#closed && this.#ready.size + this.#working.size === 0) this.#drained.resolve();
  }

  #measure(): void {
    this.#deps.metrics.queueDepth.set(this.#ready.size, { queue: this.#options.name });
  }
}

export function createKeyQueue(options: KeyQueueOptions, deps: KeyQueueDeps): KeyQueue {
  return new CollapsingQueue(options, deps);
}
