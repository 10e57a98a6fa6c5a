import { ChangeCursor } from '../replica/index.ts';
import type { Change, ObjectName, ResourceReader, Shown } from '../replica/types.ts';

/** What changed, with the texts of the object before and after, if it was and is there. */
export type Touched = ObjectName & Partial<Pick<Change, 'before' | 'after'>>;

const pageSize = 500;

/** All objects that are shown, a page at a time. */
export function* shownObjects(reader: ResourceReader, namespace?: string): Generator<Shown, void, undefined> {
  let after: ObjectName | undefined;
  for (;;) {
    const page = reader.page({ namespace, after, limit: pageSize });
    if (page === 'expired') return;
    yield* page;
    after = page.at(-1);
    if (after === undefined) return;
  }
}

/** Tells of each change of one resource, and of every object when changes may have been missed. */
export class ChangeFeed implements Disposable {
  readonly #reader: ResourceReader;
  readonly #tell: (touched: Touched) => void;
  readonly #cursor: ChangeCursor;
  readonly #subscription: Disposable;

  constructor(reader: ResourceReader, tell: (touched: Touched) => void) {
    this.#reader = reader;
    this.#tell = tell;
    this.#cursor = new ChangeCursor(reader);
    this.#subscription = reader.subscribe(() => this.#catchUp());
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }

  #catchUp(): void {
    if (this.#cursor.catchUp(this.#tell) === 'expired') this.#tellAll();
  }

  #tellAll(): void {
    for (const { namespace, name, json } of shownObjects(this.#reader)) {
      this.#tell({ namespace, name, after: json });
    }
  }
}
