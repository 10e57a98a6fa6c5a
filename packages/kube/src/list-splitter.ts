import { SelvedgeError } from '@selvedge/kit';

/** One part of a JSON list, whose texts joined (items by commas) are the list again. */
export type ListPiece =
  /** From the beginning to the bracket that opens `items` or `rows`. */
  | { readonly kind: 'head'; readonly text: string }
  | { readonly kind: 'item'; readonly text: string }
  /** From the closing bracket to the end. */
  | { readonly kind: 'tail'; readonly text: string }
  /** A document that is no list. */
  | { readonly kind: 'whole'; readonly text: string };

/** Cuts a JSON list into its items, however its bytes are cut. Pure. */
export interface ListSplitter {
  /** The pieces that `chunk` completes. To be iterated to its end. Throws `Corrupt`, `ResourceExhausted`. */
  push(chunk: Uint8Array): Iterable<ListPiece>;
  /** The last piece. Throws `Corrupt` if the list is not complete. */
  end(): ListPiece;
}

const byte = (character: string): number => character.charCodeAt(0);
const quote = byte('"');
const backslash = byte('\\');
const openArray = byte('[');
const closeArray = byte(']');
const openObject = byte('{');
const closeObject = byte('}');
const comma = byte(',');
/** How a byte outside of strings changes the depth. */
const steps: Readonly<Partial<Record<number, number>>> = {
  [openArray]: 1,
  [openObject]: 1,
  [closeArray]: -1,
  [closeObject]: -1,
};
const whitespace: ReadonlySet<number> = new Set([' ', '\t', '\r', '\n'].map(byte));
const opensItems = /"(?:items|rows)"\s*:\s*\[$/;
/** Room for the key and some white space in front of a bracket. */
const keyBytes = 64;

type State = 'head' | 'between' | 'item' | 'tail';

class ByteListSplitter implements ListSplitter {
  readonly #maxPieceBytes: number;
  #state: State = 'head';
  #depth = 0;
  #inString = false;
  /** The next byte is behind a backslash. */
  #escaped = false;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;

  constructor(maxPieceBytes: number) {
    this.#maxPieceBytes = maxPieceBytes;
  }

  *push(chunk: Uint8Array): Generator<ListPiece, void, undefined> {
    let start = 0;
    for (let at = this.#next(chunk, 0); at < chunk.length; at = this.#next(chunk, at + 1)) {
      const between = this.#state === 'between';
      const kind = this.#step(chunk[at] ?? 0);
      if (between) start = this.#state === 'between' ? at + 1 : at;
      if (kind === undefined) continue;
      this.#keep(chunk.subarray(start, at + 1));
      start = at + 1;
      if (kind === 'head' && !this.#atItems()) continue;
      this.#state = 'between';
      yield { kind, text: this.#take() };
    }
    this.#keep(chunk.subarray(start));
  }

  end(): ListPiece {
    const complete = this.#depth === 0 && !this.#inString && this.#pendingBytes > 0;
    if (!complete) throw new SelvedgeError('the list broke off', { code: 'Corrupt' });
    if (this.#state === 'tail') return { kind: 'tail', text: this.#take() };
    return { kind: 'whole', text: this.#take() };
  }

  /** Where the next byte is that means something: within a string only its end does. */
  #next(chunk: Uint8Array, from: number): number {
    let at = from;
    while (this.#inString && at < chunk.length) at = this.#skipString(chunk, at);
    return at;
  }

  #skipString(chunk: Uint8Array, from: number): number {
    const end = chunk.indexOf(quote, from);
    const stop = end < 0 ? chunk.length : end;
    let first = stop;
    while (first > from && chunk[first - 1] === backslash) first -= 1;
    const odd = (stop - first) % 2 === 1;
    const escaped = first === from && this.#escaped ? !odd : odd;
    this.#escaped = end < 0 && escaped;
    if (end < 0) return chunk.length;
    this.#inString = escaped;
    return end + 1;
  }

  /** Takes one byte outside of strings. Returns the kind of the piece that it completes, or may complete. */
  #step(one: number): 'head' | 'item' | undefined {
    if (this.#state === 'between') this.#between(one);
    if (one === quote) this.#inString = true;
    const step = steps[one];
    if (step === undefined) return undefined;
    this.#depth += step;
    if (this.#depth !== 2) return undefined;
    if (one === openArray && this.#state === 'head') return 'head';
    return step < 0 && this.#state === 'item' ? 'item' : undefined;
  }

  #between(one: number): void {
    if (one === openObject) this.#state = 'item';
    else if (one === closeArray) this.#state = 'tail';
    else if (one !== comma && !whitespace.has(one)) {
      throw new SelvedgeError('the list holds something that is no object', { code: 'Corrupt' });
    }
  }

  /** Whether the bracket that came last opens the items. */
  #atItems(): boolean {
    const text = Buffer.concat(this.#pending, this.#pendingBytes).subarray(-keyBytes);
    return opensItems.test(text.toString('latin1'));
  }

  #keep(part: Uint8Array): void {
    if (part.length === 0) return;
    this.#pendingBytes += part.length;
    if (this.#pendingBytes > this.#maxPieceBytes) {
      const message = `an object of a list is larger than ${this.#maxPieceBytes} bytes`;
      throw new SelvedgeError(message, { code: 'ResourceExhausted' });
    }
    this.#pending.push(part);
  }

  #take(): string {
    const text = Buffer.concat(this.#pending, this.#pendingBytes).toString('utf8');
    this.#pending = [];
    this.#pendingBytes = 0;
    return text;
  }
}

/** `maxPieceBytes` caps what is held: the largest item, head or tail. */
export function createListSplitter(options: { readonly maxPieceBytes: number }): ListSplitter {
  return new ByteListSplitter(options.maxPieceBytes);
}
