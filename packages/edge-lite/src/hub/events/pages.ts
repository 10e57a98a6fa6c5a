import type { RuntimeKind, RuntimeRepository } from '../../store/index.ts';
import type { RingedEvent } from './ringed-event.ts';

/** Neighbours of the ring in one document, so that a batch is one write. */
interface Page {
  readonly events: readonly { readonly sequence: number; readonly event: RingedEvent }[];
}

const kind: RuntimeKind<Page> = { name: 'hub-events' };
const eventsPerPage = 50;
const keyOf = (page: number): string => String(page).padStart(12, '0');
const pageOf = (sequence: number): number => Math.floor(sequence / eventsPerPage);

/** A token is not written down: its events are lost with the process. */
const survives = ({ caller }: RingedEvent): boolean => caller.kind !== 'token';

/** The ring on disk: pages that changed are written together, now and then. */
export class EventPages {
  readonly #runtime: RuntimeRepository;
  readonly #changed = new Set<number>();

  constructor(runtime: RuntimeRepository) {
    this.#runtime = runtime;
  }

  get dirty(): boolean {
    return this.#changed.size > 0;
  }

  load(): Map<number, RingedEvent> {
    const pages = this.#runtime.list(kind).flatMap(({ document }) => document.events);
    return new Map(pages.map(({ sequence, event }) => [sequence, event]));
  }

  touch(sequence: number): void {
    this.#changed.add(pageOf(sequence));
  }

  save(ring: ReadonlyMap<number, RingedEvent>): void {
    for (const page of this.#changed) {
      const events = Array.from({ length: eventsPerPage }, (_, i) => page * eventsPerPage + i).flatMap(
        (sequence) => {
          const event = ring.get(sequence);
          return event === undefined || !survives(event) ? [] : [{ sequence, event }];
        },
      );
      if (events.length === 0) this.#runtime.delete(kind, keyOf(page));
      else this.#runtime.put(kind, { key: keyOf(page), document: { events } }, { durable: false });
    }
    this.#changed.clear();
  }
}
