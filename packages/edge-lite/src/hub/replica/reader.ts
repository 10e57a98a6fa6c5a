import { type ReplicaRow, maxPageText } from '../../store/index.ts';
import { keyOf } from './content.ts';
import type { Held } from './history.ts';
import type { Ledger, Track } from './ledger.ts';
import { reaches } from './order.ts';
import type { Change, HeldResource, ObjectName, PageQuery, ResourceReader, Shown } from './types.ts';

const toShown = ({ namespace, name, version, shown, body }: ReplicaRow): Shown => ({
  namespace,
  name,
  version,
  json: shown ?? body,
});

/** The order of the rows: SQLite compares bytes, and names are ASCII. */
function isBefore(a: ObjectName, b: ObjectName): boolean {
  return a.namespace === b.namespace ? a.name < b.name : a.namespace < b.namespace;
}

type Undone = ReadonlyMap<string, ObjectName & { readonly held: Held | undefined }>;

/** What has to be put into a page because it was there at the time. */
function restored(undone: Undone, { namespace, after }: PageQuery): Shown[] {
  const found: Shown[] = [];
  for (const { held, namespace: space, name } of undone.values()) {
    const at = { namespace: space, name };
    const wanted = namespace === undefined || namespace === space;
    if (held === undefined || !wanted || (after !== undefined && !isBefore(after, at))) continue;
    found.push({ ...at, ...held });
  }
  return found.toSorted((a, b) => (isBefore(a, b) ? -1 : 1));
}

function* without(rows: Iterable<Shown>, undone: Undone): Generator<Shown> {
  for (const row of rows) if (!undone.has(keyOf(row))) yield row;
}

/** Two ordered lists as one. */
function* merged(rows: Iterable<Shown>, extra: readonly Shown[]): Generator<Shown> {
  let next = 0;
  for (const row of rows) {
    for (let other = extra[next]; other !== undefined && isBefore(other, row); other = extra[next]) {
      next += 1;
      yield other;
    }
    yield row;
  }
  yield* extra.slice(next);
}

/** As many as are wanted, and as are read at a time. */
function take(items: Iterable<Shown>, limit: number): readonly Shown[] {
  const taken: Shown[] = [];
  if (limit <= 0) return taken;
  let text = 0;
  for (const item of items) {
    taken.push(item);
    text += item.json.length;
    if (taken.length >= limit || text >= maxPageText) break;
  }
  return taken;
}

class Reader implements ResourceReader {
  readonly resource: HeldResource;
  readonly #ledger: Ledger;
  readonly #track: Track;

  constructor(resource: HeldResource, ledger: Ledger) {
    this.resource = resource;
    this.#ledger = ledger;
    this.#track = ledger.track(resource);
  }

  get version(): bigint {
    return this.#track.order.version;
  }

  get lastEntry(): bigint {
    return this.#track.order.lastEntry;
  }

  get({ namespace, name }: ObjectName): Shown | undefined {
    const row = this.#ledger.bank(this.resource).row({ resource: this.resource, namespace, name });
    return row === undefined ? undefined : toShown(row);
  }

  page(query: PageQuery): readonly Shown[] | 'expired' {
    const { at = this.version, limit } = query;
    if (at >= this.lastEntry && at <= this.version) return take(this.#rows(query), limit);
    if (!this.#reaches(at)) return 'expired';
    const undone = this.#track.history.undo(at);
    return take(merged(without(this.#rows(query), undone), restored(undone, query)), limit);
  }

  changesAfter(version: bigint, limit: number): readonly Change[] | 'expired' {
    return this.#reaches(version) ? this.#track.history.after(version, limit) : 'expired';
  }

  subscribe(rose: () => void, place?: () => bigint): Disposable {
    const held = new DisposableStack();
    held.use(this.#track.listeners.add(rose));
    if (place !== undefined) held.use(this.#track.history.follow(place));
    return held;
  }

  #reaches(at: bigint): boolean {
    return reaches(this.#track.order, this.#track.history.floor, at);
  }

  *#rows({ namespace, after, limit }: PageQuery): Generator<Shown> {
    const bank = this.#ledger.bank(this.resource);
    for (let cursor = after; ; ) {
      const rows = bank.page(this.resource, { namespace, after: cursor, limit });
      for (const row of rows) yield toShown(row);
      cursor = rows.at(-1);
      if (cursor === undefined) return;
    }
  }
}

export function createReader(resource: HeldResource, ledger: Ledger): ResourceReader {
  return new Reader(resource, ledger);
}
