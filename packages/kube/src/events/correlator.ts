import { BoundedMap, type Clock } from '@selvedge/kit';
import type { Event } from '../gen/types.ts';

export interface CorrelatorOptions {
  /** Sources, groups and events remembered each, least recently used forgotten first. */
  readonly maxTracked: number;
}

/** What to do with an event. */
export type Correlation =
  | { readonly kind: 'skip' }
  | { readonly kind: 'create'; readonly key: string; readonly event: Event }
  /** The event was sent before: `event` is its new state, under the same name. */
  | { readonly kind: 'bump'; readonly key: string; readonly event: Event };

interface Group {
  readonly messages: ReadonlySet<string>;
  readonly lastMs: number;
}

interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

const aggregateAfter = 10;
const aggregateWithinMs = 600_000;
const burst = 25;
const refillMs = 300_000;
const aggregatePrefix = '(combined from similar events): ';

function sourceKey({ source, involvedObject: about, type }: Event): string {
  const where = [about.kind, about.namespace, about.name, about.uid, about.apiVersion];
  return JSON.stringify([source?.component, source?.host, ...where, type]);
}

/**
 * Keeps the number of events down: the same event again becomes a count; ten events of one object and reason within ten
 * minutes that differ only in their message become one; an object may cause 25 writes, then one in five minutes.
 * The rules of client-go's EventCorrelator.
 */
export class EventCorrelator {
  readonly #clock: Pick<Clock, 'now' | 'monotonicMs'>;
  readonly #groups: BoundedMap<string, Group>;
  readonly #sent: BoundedMap<string, Event>;
  readonly #buckets: BoundedMap<string, Bucket>;

  constructor(options: CorrelatorOptions, deps: { readonly clock: Pick<Clock, 'now' | 'monotonicMs'> }) {
    this.#clock = deps.clock;
    const bounds = { capacity: options.maxTracked };
    this.#groups = new BoundedMap(bounds);
    this.#sent = new BoundedMap(bounds);
    this.#buckets = new BoundedMap(bounds);
  }

  /** `event` is fresh: it has a name of its own, count 1, and equal first and last timestamps. */
  correlate(event: Event): Correlation {
    const { key, event: merged } = this.#aggregate(event);
    const before = this.#sent.get(key);
    const { name } = before?.metadata ?? merged.metadata;
    const next: Event = {
      ...merged,
      metadata: { ...merged.metadata, name },
      count: (before?.count ?? 0) + 1,
      firstTimestamp: before?.firstTimestamp ?? merged.firstTimestamp,
    };
    this.#sent.set(key, next);
    if (!this.#admit(sourceKey(event))) return { kind: 'skip' };
    return { kind: before === undefined ? 'create' : 'bump', key, event: next };
  }

  /** The event could not be created, or is gone on the server: the next one of its kind starts anew. */
  forget(key: string): void {
    this.#sent.delete(key);
  }

  #aggregate(event: Event): { readonly key: string; readonly event: Event } {
    const message = event.message ?? '';
    const groupKey = JSON.stringify([
      sourceKey(event),
      event.reason,
      event.reportingComponent,
      event.reportingInstance,
    ]);
    const now = this.#clock.monotonicMs();
    const known = this.#groups.get(groupKey);
    const recent = known !== undefined && now - known.lastMs <= aggregateWithinMs ? known.messages : [];
    const messages = new Set(recent).add(message);
    const merge = messages.size >= aggregateAfter;
    if (merge) {
      const [oldest = message] = messages;
      messages.delete(oldest);
    }
    this.#groups.set(groupKey, { messages, lastMs: now });
    if (!merge) return { key: JSON.stringify([groupKey, event.involvedObject.fieldPath, message]), event };
    return { key: groupKey, event: { ...event, message: `${aggregatePrefix}${message}` } };
  }

  /** A token bucket. */
  #admit(key: string): boolean {
    const now = this.#clock.monotonicMs();
    const { tokens, atMs } = this.#buckets.get(key) ?? { tokens: burst, atMs: now };
    const filled = Math.min(burst, tokens + (now - atMs) / refillMs);
    const admitted = filled >= 1;
    this.#buckets.set(key, { tokens: admitted ? filled - 1 : filled, atMs: now });
    return admitted;
  }
}
