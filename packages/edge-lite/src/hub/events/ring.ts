import {
  type Clock,
  type Counter,
  type Logger,
  type MetricsRegistry,
  type Poke,
  type Random,
  type Service,
  type TaskGroup,
  createBackoff,
  createPoke,
  createTaskGroup,
  limitRepeats,
} from '@selvedge/kit';
import type { RuntimeRepository } from '../../store/index.ts';
import type { DecodeBody } from '../bodies/types.ts';
import { alreadyExists, jsonResponse } from '../forward/index.ts';
import type { HubRequest, HubResponse } from '../request.ts';
import type { ResourceRequest } from '../request-info/index.ts';
import type { Upstream } from '../upstream/types.ts';
import { EventPages } from './pages.ts';
import { type RingedEvent, identityOf, mergeFields, storedEvent } from './ringed-event.ts';
import { type EventSender, type Sent, createEventSender } from './send.ts';

export interface EventRingOptions {
  /** Events that are kept; beyond them the oldest goes and is counted. Default 1,000. */
  readonly maxEvents?: number;
  /** How long new ones wait for the disk, in milliseconds: what a power cut may cost. Default 60,000. */
  readonly saveMs?: number;
  /** Events per second that are sent after a cut. Default 10. */
  readonly perSecond?: number;
}

export interface EventRingDeps {
  readonly runtime: RuntimeRepository;
  readonly upstream: Pick<Upstream, 'connectivity' | 'onConnectivity' | 'send'>;
  /** What comes before events after a cut. */
  readonly drained: (signal: AbortSignal) => Promise<void>;
  /** Told after a cut how many events the API server did not take from their senders. */
  readonly onRefused: (events: number) => void;
  readonly decodeBody: DecodeBody;
  readonly clock: Clock;
  readonly random: Random;
  readonly newUid: () => string;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

/** Events that were made while the API server is away. */
export interface EventRing extends Service {
  readonly size: number;
  /** Takes the POST or PATCH of an event and answers as the API server would. */
  take(request: HubRequest, about: ResourceRequest): HubResponse;
}

const retryMs = 5_000;
const failures = { initialMs: 1_000, maxMs: 5 * 60_000, resetAfterMs: 60_000 };
/** An event that fails so often, and not because the API server is away or busy, is given up. */
const maxAttempts = 5;
const repeatWindowMs = 60_000;
const suffixLength = 5;

type Json = Readonly<Record<string, unknown>>;

/** What is left to say of an event that was changed while it was on its way. */
function restOf(sent: RingedEvent, now: RingedEvent): RingedEvent {
  const { metadata: _metadata, apiVersion: _version, kind: _kind, ...body } = now.body;
  return { ...now, verb: 'patch', path: identityOf(sent), body };
}

class BoundedRing implements EventRing {
  readonly name = 'event ring';
  readonly #options: Required<EventRingOptions>;
  readonly #deps: EventRingDeps;
  readonly #pages: EventPages;
  readonly #send: EventSender;
  readonly #tasks: TaskGroup;
  readonly #changed: Poke;
  readonly #wake: Poke;
  readonly #events: Counter;
  readonly #log: Logger;
  readonly #backoff;
  /** Of this cut. */
  #refused = 0;
  /** Attempts to send the oldest event. */
  #failed = 0;
  /** In their order. */
  #ring = new Map<number, RingedEvent>();
  readonly #sequences = new Map<string, number>();
  #next = 0;
  #subscription: Disposable | undefined;

  constructor(options: EventRingOptions, deps: EventRingDeps) {
    this.#options = { maxEvents: 1_000, saveMs: 60_000, perSecond: 10, ...options };
    this.#deps = deps;
    this.#pages = new EventPages(deps.runtime);
    this.#send = createEventSender(deps);
    this.#log = limitRepeats({ windowMs: repeatWindowMs }, deps);
    this.#backoff = createBackoff(failures, deps);
    this.#tasks = createTaskGroup(
      { name: this.name },
      { onFailure: (error, task) => this.#log.error('event ring failed', { task, error }) },
    );
    this.#changed = createPoke(deps.clock);
    this.#wake = createPoke(deps.clock);
    this.#events = deps.metrics.counter({
      name: 'selvedge_hub_offline_events_total',
      help: 'Events made while the API server was away, by outcome (kept, merged, sent, refused, dropped).',
    });
    const help = 'Events that the API server has not heard of.';
    deps.metrics.sampled({ name: 'selvedge_hub_offline_events', help }, () => this.size);
  }

  get size(): number {
    return this.#ring.size;
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#ring = this.#pages.load();
    for (const [sequence, event] of this.#ring) {
      this.#sequences.set(identityOf(event), sequence);
      this.#next = sequence + 1;
    }
    this.#subscription = this.#deps.upstream.onConnectivity(() => this.#wake.poke());
    this.#tasks.run('save', (inner) => this.#saveLoop(inner));
    this.#tasks.run('send', (inner) => this.#sendLoop(inner));
    this.#wake.poke();
  }

  async stop(): Promise<void> {
    this.#subscription?.[Symbol.dispose]();
    await this.#tasks.stop();
    this.#save();
  }

  take(request: HubRequest, about: ResourceRequest): HubResponse {
    const { headers, body = new Uint8Array() } = request;
    const fields = this.#deps.decodeBody({ contentType: headers['content-type'], bytes: body });
    return about.verb === 'create'
      ? this.#create(request, about, fields)
      : this.#patch(request, about, fields);
  }

  #create({ caller, path }: HubRequest, about: ResourceRequest, body: Json): HubResponse {
    const uid = this.#deps.newUid();
    const { namespace } = about;
    const nowMs = this.#deps.clock.now();
    const stored = storedEvent(body, { namespace, nowMs, uid, suffix: uid.slice(0, suffixLength) });
    const { uid: _uid, creationTimestamp: _time, resourceVersion: _version, ...metadata } = stored.metadata;
    const name = metadata.name ?? '';
    const event: RingedEvent = { caller, verb: 'create', path, name, body: { ...stored, metadata } };
    if (this.#sequences.has(identityOf(event))) throw alreadyExists({ ...about, name });
    this.#add(event);
    return jsonResponse(201, stored);
  }

  #patch({ caller, path }: HubRequest, { namespace, name }: ResourceRequest, fields: Json): HubResponse {
    const sequence = this.#sequences.get(path);
    const before = sequence === undefined ? undefined : this.#ring.get(sequence);
    if (sequence === undefined || before === undefined) {
      this.#add({ caller, verb: 'patch', path, name, body: fields });
      return jsonResponse(200, { apiVersion: 'v1', kind: 'Event', metadata: { name, namespace }, ...fields });
    }
    const merged = mergeFields(before.body, fields);
    this.#put(sequence, { ...before, body: merged });
    this.#events.add({ outcome: 'merged' });
    return jsonResponse(200, { apiVersion: 'v1', kind: 'Event', metadata: { name, namespace }, ...merged });
  }

  #add(event: RingedEvent): void {
    this.#put(this.#next, event);
    this.#next += 1;
    this.#events.add({ outcome: 'kept' });
    const [oldest] = this.#ring.keys();
    if (this.#ring.size <= this.#options.maxEvents || oldest === undefined) return;
    this.#remove(oldest);
    this.#events.add({ outcome: 'dropped' });
  }

  #put(sequence: number, event: RingedEvent): void {
    this.#ring.set(sequence, event);
    this.#sequences.set(identityOf(event), sequence);
    this.#pages.touch(sequence);
    this.#changed.poke();
    this.#wake.poke();
  }

  #remove(sequence: number): void {
    const event = this.#ring.get(sequence);
    if (event === undefined) return;
    this.#ring.delete(sequence);
    this.#sequences.delete(identityOf(event));
    this.#pages.touch(sequence);
    this.#changed.poke();
  }

  async #saveLoop(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#changed.wait(undefined, signal);
      await this.#deps.clock.sleep(this.#options.saveMs, signal);
      this.#save();
    }
  }

  /** What the disk does not take now it is given again. */
  #save(): void {
    try {
      this.#pages.save(this.#ring);
    } catch (error) {
      this.#log.warn('offline events not saved', { events: this.#ring.size, error });
      this.#changed.poke();
    }
  }

  async #sendLoop(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#wake.wait(undefined, signal);
      try {
        await this.#drain(signal);
      } catch (error) {
        signal.throwIfAborted();
        this.#log.warn('offline event not sent', { error });
        await this.#deps.clock.sleep(this.#backoff.nextDelayMs(), signal);
        this.#wake.poke();
      }
    }
  }

  async #drain(signal: AbortSignal): Promise<void> {
    if (this.#ring.size > 0) await this.#deps.drained(signal);
    while (this.#ring.size > 0 && this.#deps.upstream.connectivity.kind === 'online') {
      const pauseMs = await this.#sendOldest(signal);
      await this.#deps.clock.sleep(pauseMs, signal);
    }
    if (this.#refused === 0 || this.#ring.size > 0) return;
    this.#deps.onRefused(this.#refused);
    this.#refused = 0;
  }

  /** What fails in a way that nobody foresaw is tried a few times, so that it holds up nothing for ever. */
  async #try(event: RingedEvent, signal: AbortSignal): Promise<Sent> {
    try {
      return await this.#send(event, signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#failed += 1;
      if (this.#failed < maxAttempts) throw error;
      return 'refused';
    }
  }

  /** Returns how long to pause. */
  async #sendOldest(signal: AbortSignal): Promise<number> {
    const [oldest] = this.#ring;
    if (oldest === undefined) return 0;
    const [sequence, event] = oldest;
    const outcome = await this.#try(event, signal);
    this.#failed = 0;
    this.#backoff.up();
    if (outcome === 'later') return retryMs;
    this.#events.add({ outcome });
    if (outcome === 'refused') {
      this.#refused += 1;
      this.#log.warn('offline event refused', { event: identityOf(event) });
    }
    const now = this.#ring.get(sequence);
    if (now === event || outcome === 'refused') this.#remove(sequence);
    else if (now !== undefined) this.#put(sequence, restOf(event, now));
    return 1_000 / this.#options.perSecond;
  }
}

/**
 * A bounded ring of events, saved in batches, sent again in its order and its senders' names at a limited rate once the
 * API server is back. An event that is counted up while it waits stays one.
 */
export function createEventRing(options: EventRingOptions, deps: EventRingDeps): EventRing {
  return new BoundedRing(options, deps);
}
