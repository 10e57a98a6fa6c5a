import {
  createBoundedQueue,
  createTaskGroup,
  hasCode,
  jittered,
  limitRepeats,
  messageOf,
  type BoundedQueue,
  type Clock,
  type Logger,
  type Random,
  type Service,
  type TaskGroup,
} from '@selvedge/kit';
import type { CallOptions, KubeClient } from '../client.ts';
import type { Event, ObjectReference } from '../gen/types.ts';
import type { KubeMetrics } from '../metrics.ts';
import { strategicMergePatch } from '../patch.ts';
import { resources } from '../resources.ts';
import { EventCorrelator, type Correlation } from './correlator.ts';
import { createEventFactory, type EventContent, type Occurrence } from './event-factory.ts';

export interface EventRecorderOptions {
  /** The program: `kubelet`. */
  readonly component: string;
  /** The node or pod that it runs on. */
  readonly host: string;
  /** Events that wait to be sent; the oldest is dropped beyond it. Default 1,000. */
  readonly maxQueued?: number;
  /** Objects, groups and events whose history is remembered, each. Default 1,024. */
  readonly maxTracked?: number;
  /** How often an event is tried while the API server cannot be reached. Default 12. */
  readonly maxAttempts?: number;
}

export interface EventRecorderDeps {
  readonly client: Pick<KubeClient, 'create' | 'patch'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: KubeMetrics;
}

/** Writes core/v1 Events. Stopping it drops what was not sent. */
export interface EventRecorder extends Service {
  /** Never waits and never fails. `about` names kind, name, namespace, uid and apiVersion. */
  record(about: ObjectReference, content: EventContent): void;
}

const retryMs = 10_000;
const sendTimeoutMs = 30_000;
const repeatWindowMs = 60_000;

class QueuedRecorder implements EventRecorder {
  readonly name = 'event recorder';
  readonly #options: EventRecorderOptions;
  readonly #deps: EventRecorderDeps;
  readonly #log: Logger;
  readonly #queue: BoundedQueue<Occurrence>;
  readonly #correlator: EventCorrelator;
  readonly #newEvent: (occurrence: Occurrence) => Event;
  readonly #tasks: TaskGroup;

  constructor(options: EventRecorderOptions, deps: EventRecorderDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#log = limitRepeats({ windowMs: repeatWindowMs }, deps);
    this.#queue = createBoundedQueue({
      capacity: options.maxQueued ?? 1_000,
      overflow: 'drop-oldest',
    });
    this.#correlator = new EventCorrelator({ maxTracked: options.maxTracked ?? 1_024 }, deps);
    this.#newEvent = createEventFactory(options);
    this.#tasks = createTaskGroup(
      { name: this.name },
      { onFailure: (error) => this.#log.error('event recorder failed', { error }) },
    );
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#tasks.run('send', (inner) => this.#run(inner));
  }

  async stop(): Promise<void> {
    this.#queue.close();
    await this.#tasks.stop();
  }

  record(about: ObjectReference, content: EventContent): void {
    const before = this.#queue.dropped;
    this.#queue.push({ about, content, at: this.#deps.clock.now() });
    if (this.#queue.dropped > before) this.#deps.metrics.events.add({ outcome: 'dropped' });
  }

  async #run(signal: AbortSignal): Promise<void> {
    for (;;) {
      const waiting = await this.#queue.take(signal);
      if (waiting === undefined) return;
      const correlation = this.#correlator.correlate(this.#newEvent(waiting));
      if (correlation.kind === 'skip') this.#deps.metrics.events.add({ outcome: 'dropped' });
      else await this.#deliver(correlation, signal);
    }
  }

  /** Tries while the API server cannot be reached; its refusals are final. */
  async #deliver(correlation: Exclude<Correlation, { kind: 'skip' }>, signal: AbortSignal): Promise<void> {
    const { random, clock, metrics } = this.#deps;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#send(correlation, signal);
        metrics.events.add({ outcome: 'sent' });
        return;
      } catch (error) {
        signal.throwIfAborted();
        const later = hasCode(error, 'Unavailable', 'DeadlineExceeded', 'ResourceExhausted');
        if (!later || attempt >= (this.#options.maxAttempts ?? 12)) {
          this.#giveUp(correlation, error);
          return;
        }
        await clock.sleep(jittered(retryMs, random, 0.5), signal);
      }
    }
  }

  #giveUp({ kind, key, event }: Exclude<Correlation, { kind: 'skip' }>, error: unknown): void {
    this.#deps.metrics.events.add({ outcome: 'failed' });
    if (kind === 'create') this.#correlator.forget(key);
    this.#log.warn('event was not accepted', { reason: event.reason, error: messageOf(error) });
  }

  async #send({ kind, event }: Exclude<Correlation, { kind: 'skip' }>, signal: AbortSignal): Promise<void> {
    const call = { signal, timeoutMs: sendTimeoutMs };
    if (kind === 'create') {
      await this.#create(event, call);
      return;
    }
    const { name = '', namespace } = event.metadata;
    const { count, lastTimestamp, message } = event;
    const patch = strategicMergePatch({ count, lastTimestamp, message });
    try {
      await this.#deps.client.patch(resources.events, { namespace, name }, { ...call, patch });
    } catch (error) {
      if (!hasCode(error, 'NotFound')) throw error;
      await this.#create(event, call);
    }
  }

  /** Names are unique: one that exists is from an earlier attempt whose answer was lost. */
  async #create(event: Event, call: CallOptions): Promise<void> {
    try {
      await this.#deps.client.create(resources.events, event, call);
    } catch (error) {
      if (!hasCode(error, 'AlreadyExists')) throw error;
    }
  }
}

/**
 * Records events in the background: correlated as client-go does, in a bounded queue, retried while the API server is
 * away. What is dropped or refused is counted.
 */
export function createEventRecorder(options: EventRecorderOptions, deps: EventRecorderDeps): EventRecorder {
  return new QueuedRecorder(options, deps);
}
