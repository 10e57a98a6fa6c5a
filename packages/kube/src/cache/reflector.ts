import {
  SelvedgeError,
  createBackoff,
  createStateMachine,
  createTaskGroup,
  hasCode,
  limitRepeats,
  raceAbort,
  withDeadline,
  type Backoff,
  type Logger,
  type StateMachine,
  type TaskGroup,
} from '@selvedge/kit';
import type { Projection, Selection } from '../client.ts';
import type { KubeObject } from '../object.ts';
import { resourceName } from '../resource.ts';
import { versionOf, type WatchEvent } from '../watch/event.ts';
import type { Watch, WatchOptions } from '../watch/watch.ts';
import { listInto } from '../list-all.ts';
import { InitialEvents, type InitialEnd } from './initial-events.ts';
import type { Reflector, ReflectorDeps, ReflectorOptions, ReflectorState } from './reflector-types.ts';
import type { Replacement } from './replacement.ts';

const defaults = {
  maxObjects: 100_000,
  initialEventsIdleMs: 30_000,
  backoff: { initialMs: 500, maxMs: 30_000 },
};
/** A watch that ends sooner, without an event, counts as a failure. */
const shortWatchMs = 1_000;
const repeatWindowMs = 60_000;

const moves = {
  idle: ['listing', 'watching', 'waiting', 'stopped'],
  listing: ['listing', 'watching', 'waiting', 'stopped'],
  watching: ['listing', 'waiting', 'stopped'],
  waiting: ['listing', 'watching', 'waiting', 'stopped'],
  stopped: [],
} as const;

class ListWatch<T extends KubeObject> implements Reflector {
  readonly name: string;
  readonly #options: ReflectorOptions<T>;
  readonly #deps: ReflectorDeps<T>;
  readonly #resource: string;
  readonly #log: Logger;
  readonly #machine: StateMachine<ReflectorState>;
  readonly #tasks: TaskGroup;
  readonly #backoff: Backoff;
  readonly #whenSynced = Promise.withResolvers<void>();
  #synced = false;
  #version: string;
  #how: 'stream' | 'paged' = 'stream';
  /** A stream that said nothing for too long is no proof that there are none here: pages this once. */
  #pagedOnce = false;
  /** The watch was opened with bookmarks. */
  #told = false;

  constructor(options: ReflectorOptions<T>, deps: ReflectorDeps<T>) {
    this.#options = options;
    this.#deps = deps;
    this.#resource = resourceName(options.resource);
    this.name = `reflector ${this.#resource}`;
    this.#version = options.initialResourceVersion ?? '';
    this.#log = limitRepeats(
      { windowMs: repeatWindowMs },
      { log: deps.log.with({ reflector: this.#resource }), clock: deps.clock },
    );
    const initial: ReflectorState = { kind: 'idle' };
    this.#machine = createStateMachine<ReflectorState>(
      { name: this.name, initial, moves },
      { log: deps.log, onMove: (_from, to) => deps.onState?.(to) },
    );
    this.#tasks = createTaskGroup(
      { name: this.name },
      { onFailure: (error) => this.#log.error('reflector failed', { error }) },
    );
    const bounds = options.backoff ?? defaults.backoff;
    this.#backoff = createBackoff({ ...bounds, resetAfterMs: bounds.maxMs }, deps);
  }

  get state(): ReflectorState {
    return this.#machine.current;
  }

  get synced(): boolean {
    return this.#synced;
  }

  get resourceVersion(): string {
    return this.#version;
  }

  whenSynced(signal: AbortSignal): Promise<void> {
    return raceAbort(this.#whenSynced.promise, signal);
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#tasks.run('list-watch', (inner) => this.#run(inner));
  }

  async stop(): Promise<void> {
    await this.#tasks.stop();
    if (this.state.kind !== 'stopped') this.#machine.move({ kind: 'stopped' });
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#round(signal);
      } catch (error) {
        signal.throwIfAborted();
        await this.#afterFailure(error, signal);
      }
    }
  }

  /** From a known version: one watch. From none: a list, and in the case of a stream its watch. */
  async #round(signal: AbortSignal): Promise<void> {
    if (this.#version !== '') return this.#resume(signal);
    const how = this.#pagedOnce ? 'paged' : this.#how;
    this.#pagedOnce = false;
    this.#machine.move({ kind: 'listing', how });
    this.#deps.metrics.lists.add({ resource: this.#resource, kind: how });
    return how === 'stream' ? this.#stream(signal) : this.#list(signal);
  }

  async #afterFailure(error: unknown, signal: AbortSignal): Promise<void> {
    if (hasCode(error, 'Gone') && this.#version !== '') {
      this.#log.info('version is gone, listing again', { resourceVersion: this.#version });
      this.#version = '';
      return;
    }
    this.#machine.move({ kind: 'waiting', error });
    if (this.#options.mayBeUndefined === true && hasCode(error, 'NotFound')) await this.#undefined();
    else this.#log.warn('list-watch broke off', { error });
    await this.#deps.clock.sleep(this.#backoff.nextDelayMs(), signal);
  }

  /** What there was went with the definition. */
  async #undefined(): Promise<void> {
    this.#log.warn('the kind is not defined in this cluster, so there are none');
    this.#version = '';
    await this.#deps.store.beginReplace().commit('');
    this.#markSynced();
  }

  async #resume(signal: AbortSignal): Promise<void> {
    const watch = await this.#watch({ resourceVersion: this.#version }, signal);
    this.#following();
    await this.#follow(watch);
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, store } = this.#deps;
    const { resource, pageSize, maxObjects } = this.#options;
    let replacement: Replacement<T> | undefined;
    const begin = (): Replacement<T> => {
      replacement?.abandon();
      replacement = store.beginReplace();
      return replacement;
    };
    const options = { ...this.#selection(), pageSize, maxObjects, begin, signal };
    try {
      const resourceVersion = await listInto(client, resource, options);
      await replacement?.commit(resourceVersion);
      this.#current(resourceVersion);
    } catch (error) {
      replacement?.abandon();
      throw error;
    }
  }

  async #stream(signal: AbortSignal): Promise<void> {
    const watch = await this.#openStream(signal);
    if (watch === undefined) return;
    const batches = watch[Symbol.asyncIterator]();
    try {
      const rest = await this.#readInitial(batches, signal);
      if (rest === undefined) return;
      await this.#apply(rest);
      await this.#follow({ [Symbol.asyncIterator]: () => batches });
    } finally {
      watch.close();
    }
  }

  /** Undefined when the server does not know streaming lists. */
  async #openStream(signal: AbortSignal): Promise<Watch<T> | undefined> {
    try {
      return await this.#watch({ sendInitialEvents: true }, signal);
    } catch (error) {
      if (hasCode(error, 'DeadlineExceeded')) throw error;
      this.#page(error);
      return undefined;
    }
  }

  #watch(
    from: Pick<WatchOptions, 'resourceVersion' | 'sendInitialEvents'>,
    signal: AbortSignal,
  ): Promise<Watch<T>> {
    const { resource, watchTimeoutSeconds, watchIdleMs } = this.#options;
    const spread = 1 + this.#deps.random();
    const bookmarks = from.sendInitialEvents === true || this.#wantsBookmarks();
    this.#told = bookmarks;
    return this.#deps.client.watch(resource, {
      ...this.#selection(),
      ...from,
      timeoutSeconds:
        watchTimeoutSeconds === undefined ? undefined : Math.round(watchTimeoutSeconds * spread),
      bookmarks,
      idleTimeoutMs: bookmarks ? watchIdleMs : undefined,
      signal,
    });
  }

  #wantsBookmarks(): boolean {
    return this.#options.bookmarks?.() ?? true;
  }

  /** The events after the list; undefined when the server did not send the list's end. */
  async #readInitial(
    batches: AsyncIterator<readonly WatchEvent<T>[]>,
    signal: AbortSignal,
  ): Promise<readonly WatchEvent<T>[] | undefined> {
    const replacement = this.#deps.store.beginReplace();
    try {
      const { resourceVersion, rest } = await this.#takeInitial(batches, replacement, signal);
      await replacement.commit(resourceVersion);
      this.#current(resourceVersion);
      this.#following();
      return rest;
    } catch (error) {
      replacement.abandon();
      this.#page(error);
      return undefined;
    }
  }

  async #takeInitial(
    batches: AsyncIterator<readonly WatchEvent<T>[]>,
    replacement: Replacement<T>,
    signal: AbortSignal,
  ): Promise<InitialEnd<T>> {
    const maxObjects = this.#options.maxObjects ?? defaults.maxObjects;
    const initial = new InitialEvents<T>({ maxObjects }, replacement);
    const timeoutMs = this.#options.initialEventsIdleMs ?? defaults.initialEventsIdleMs;
    const wait = { what: `the streaming list of ${this.#resource}`, timeoutMs, signal };
    for (;;) {
      const next = await withDeadline(wait, this.#deps.clock, () => batches.next());
      if (next.done === true) throw new SelvedgeError('the list broke off', { code: 'Unavailable' });
      const end = await initial.take(next.value);
      if (end !== undefined) return end;
    }
  }

  /** Pages from now on, or this once. Rethrows what says nothing about streaming lists. */
  #page(error: unknown): void {
    if (hasCode(error, 'Invalid', 'Unsupported')) {
      this.#how = 'paged';
      this.#log.info('no streaming lists here, using pages', { error });
    } else if (hasCode(error, 'DeadlineExceeded')) {
      this.#pagedOnce = true;
      this.#log.info('the streaming list is too slow, using pages this once', { error });
    } else throw error;
  }

  async #follow(watch: AsyncIterable<readonly WatchEvent<T>[]>): Promise<void> {
    const started = this.#deps.clock.monotonicMs();
    let events = 0;
    for await (const batch of watch) {
      events += batch.length;
      await this.#apply(batch);
      if (this.#told && batch.at(-1)?.type === 'BOOKMARK' && !this.#wantsBookmarks()) break;
    }
    if (events > 0 || this.#deps.clock.monotonicMs() - started >= shortWatchMs) return;
    throw new SelvedgeError('the watch ended at once', { code: 'Unavailable' });
  }

  async #apply(batch: readonly WatchEvent<T>[]): Promise<void> {
    const last = batch.at(-1);
    if (last === undefined) return;
    const events = batch.filter((event) => event.type !== 'BOOKMARK');
    const version = versionOf(last);
    if (events.length > 0 || version !== this.#version) await this.#deps.store.apply(events, version);
    this.#version = version;
    this.#markSynced();
    for (const { type } of batch) this.#deps.metrics.watchEvents.add({ resource: this.#resource, type });
  }

  /** The store took a whole list. */
  #current(resourceVersion: string): void {
    this.#version = resourceVersion;
    this.#markSynced();
  }

  /** A watch is open. One from an old version may still say that the version is gone: a 200, then an `ERROR` event. */
  #following(): void {
    this.#backoff.up();
    if (this.state.kind !== 'watching') this.#machine.move({ kind: 'watching' });
  }

  #markSynced(): void {
    this.#synced = true;
    this.#whenSynced.resolve();
  }

  #selection(): Selection & Projection {
    const { namespace, labelSelector, fieldSelector, metadataOnly } = this.#options;
    return { namespace, labelSelector, fieldSelector, metadataOnly };
  }
}

/**
 * A list-watch that goes on: streaming lists where the server has them, else pages; bookmarks; the watch is resumed
 * from the last version after any break, with jittered delays; `410` leads to a new list, which the store takes as a
 * difference. Lists are handed over piece by piece, and events are read only as fast as the store takes them.
 */
export function createReflector<T extends KubeObject>(
  options: ReflectorOptions<T>,
  deps: ReflectorDeps<T>,
): Reflector {
  return new ListWatch(options, deps);
}
