import {
  createTaskGroup,
  isAbort,
  jittered,
  limitRepeats,
  type Clock,
  type Logger,
  type Random,
  type Service,
  type TaskGroup,
} from '@selvedge/kit';
import type { KubeMetrics } from '../metrics.ts';
import { createKeyQueue, type KeyQueue, type KeyQueueOptions } from './key-queue.ts';

/** When to look at the key again although nothing changed. */
export interface ReconcileResult {
  readonly againAfterMs: number;
}

export interface ControllerOptions extends KeyQueueOptions {
  /** Keys in work at a time. Default 1. */
  readonly workers?: number;
  /** How often all of `keys()` are added, in milliseconds, jittered. Default 10 minutes. */
  readonly resyncMs?: number;
}

export interface ControllerDeps {
  /**
   * Brings one key to its target. Told of no event: it looks at the world as it is now. A rejection means: again, with
   * the key's backoff. Never runs twice at a time for one key.
   */
  readonly reconcile: (key: string, signal: AbortSignal) => Promise<ReconcileResult | undefined | void>;
  /** All keys there are, for the first round and for each resync. */
  readonly keys: () => Iterable<string>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: KubeMetrics;
}

/** A level-triggered loop. */
export interface Controller extends Service {
  /**
   * Look at this key soon, or `afterMs` from now if it is not to be looked at before anyway, so that changes that come
   * together are one. False if the queue is full; the next resync brings it back.
   */
  enqueue(key: string, afterMs?: number): boolean;
}

const defaults = { workers: 1, resyncMs: 10 * 60_000 };
const repeatWindowMs = 60_000;

class KeyedController implements Controller {
  readonly name: string;
  readonly #options: ControllerOptions;
  readonly #deps: ControllerDeps;
  readonly #log: Logger;
  readonly #queue: KeyQueue;
  readonly #tasks: TaskGroup;

  constructor(options: ControllerOptions, deps: ControllerDeps) {
    this.name = `controller ${options.name}`;
    this.#options = options;
    this.#deps = deps;
    this.#log = limitRepeats(
      { windowMs: repeatWindowMs },
      { log: deps.log.with({ controller: options.name }), clock: deps.clock },
    );
    this.#queue = createKeyQueue(options, deps);
    this.#tasks = createTaskGroup(
      { name: this.name },
      { onFailure: (error) => this.#log.error('controller failed', { error }) },
    );
  }

  enqueue(key: string, afterMs = 0): boolean {
    return this.#queue.addAfter(key, afterMs);
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    for (let worker = 0; worker < (this.#options.workers ?? defaults.workers); worker += 1) {
      this.#tasks.run('worker', (inner) => this.#work(inner));
    }
    this.#tasks.run('resync', (inner) => this.#resync(inner));
  }

  /** Aborts the reconciliations under way and waits for them. */
  async stop(): Promise<void> {
    await this.#tasks.stop();
    const dropped = this.#tasks.signal;
    await this.#queue.drain(dropped).catch((error: unknown) => {
      if (!isAbort(error, dropped)) throw error;
    });
  }

  async #resync(signal: AbortSignal): Promise<void> {
    for (;;) {
      for (const key of this.#deps.keys()) this.#queue.add(key);
      const { resyncMs = defaults.resyncMs } = this.#options;
      await this.#deps.clock.sleep(jittered(resyncMs, this.#deps.random), signal);
    }
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (let key = await this.#queue.take(signal); key !== undefined; key = await this.#queue.take(signal)) {
      try {
        await this.#reconcile(key, signal);
      } finally {
        this.#queue.done(key);
      }
    }
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<void> {
    const queue = this.#options.name;
    try {
      const result = await this.#deps.reconcile(key, signal);
      this.#queue.forget(key);
      if (typeof result === 'object') this.#queue.addAfter(key, result.againAfterMs);
      this.#deps.metrics.queueKeys.add({ queue, outcome: 'done' });
    } catch (error) {
      signal.throwIfAborted();
      this.#queue.retry(key);
      this.#deps.metrics.queueKeys.add({ queue, outcome: 'retried' });
      this.#log.warn('reconciliation failed', { key, error });
    }
  }
}

/** Workers that bring keys to their target, now and whenever a key is added, and all keys again from time to time. */
export function createController(options: ControllerOptions, deps: ControllerDeps): Controller {
  return new KeyedController(options, deps);
}
