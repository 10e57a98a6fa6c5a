import { SelvedgeError } from '@selvedge/kit';
import { itemTypeOf, typed } from './call-parts.ts';
import type { ListMeta } from './gen/types.ts';
import { type ListPiece, createListSplitter } from './list-splitter.ts';
import type { KubeObject } from './object.ts';
import type { Resource } from './resource.ts';

/** What a list says of itself, before its items or behind them. */
interface Frame {
  readonly kind?: string;
  readonly metadata?: ListMeta;
}

export interface ListItemsOptions<T extends KubeObject> {
  /** Names the list in errors. */
  readonly what: string;
  readonly resource: Resource<T>;
  readonly take: (items: readonly T[]) => void | Promise<void>;
}

/** As large as an event of a watch may be. */
const maxItemBytes = 8 * 1024 * 1024;

/** Where the text of a piece is completed so that it is a document of its own. */
const completed: Readonly<Record<ListPiece['kind'], (text: string) => string>> = {
  head: (text) => `${text}]}`,
  item: (text) => text,
  tail: (text) => `{"items":[${text}`,
  whole: (text) => text,
};

/** One list, item by item. */
class Items<T extends KubeObject> {
  readonly #options: ListItemsOptions<T>;
  #frame: Frame = {};
  #ready: T[] = [];

  constructor(options: ListItemsOptions<T>) {
    this.#options = options;
  }

  get metadata(): ListMeta {
    return this.#frame.metadata ?? {};
  }

  take(piece: ListPiece): void {
    const document = this.#parse(completed[piece.kind](piece.text));
    if (piece.kind === 'item') {
      this.#ready.push(typed(itemTypeOf(this.#options.resource, this.#frame), document as T));
      return;
    }
    const { items, ...frame } = document as Frame & { readonly items?: readonly T[] | null };
    this.#frame = { ...this.#frame, ...frame };
    const type = itemTypeOf(this.#options.resource, this.#frame);
    for (const item of items ?? []) this.#ready.push(typed(type, item));
  }

  async hand(): Promise<void> {
    if (this.#ready.length === 0) return;
    const items = this.#ready;
    this.#ready = [];
    await this.#options.take(items);
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new SelvedgeError(`${this.#options.what}: the answer is not JSON`, { code: 'Corrupt', cause });
    }
  }
}

/**
 * Hands the items of a JSON list on, those that one chunk completes at a time, and resolves with the list's metadata.
 * Throws `Corrupt`, and `ResourceExhausted` for an item of more than 8 MiB.
 */
export async function takeItems<T extends KubeObject>(
  chunks: AsyncIterable<Uint8Array>,
  options: ListItemsOptions<T>,
): Promise<ListMeta> {
  const splitter = createListSplitter({ maxPieceBytes: maxItemBytes });
  const items = new Items(options);
  for await (const chunk of chunks) {
    for (const piece of splitter.push(chunk)) items.take(piece);
    await items.hand();
  }
  items.take(splitter.end());
  await items.hand();
  return items.metadata;
}
