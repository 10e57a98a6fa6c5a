import type { LogOptions } from './log-options.ts';
import { type Timestamp, parseTimestamp } from './timestamp.ts';

export type EntryOptions = Pick<LogOptions, 'timestamps' | 'stream' | 'sinceNs' | 'limitBytes'>;

/** Turns the bytes of a log, in pieces of any size, into what its container wrote. Holds the head of one entry at most. */
export interface LogEntries {
  /** What these bytes add to the answer; may be empty. */
  push(bytes: Uint8Array): Uint8Array;
  /** As many bytes as were wanted have been given: more adds nothing. */
  readonly full: boolean;
}

/** Behind the head of an entry: its text, shown or not, or a line that is no entry. */
type State =
  | { readonly kind: 'head' }
  | { readonly kind: 'text'; readonly shown: boolean; readonly partial: boolean }
  | { readonly kind: 'skip' };

interface Head {
  readonly time: Timestamp;
  readonly stream: 'stdout' | 'stderr';
  /** The runtime broke a long line here; its end follows in another entry. */
  readonly partial: boolean;
}

/** A time has 35 characters at most, a stream 6; tags are one letter now and may become more. */
const maxHeadBytes = 256;
const [newline, space] = [0x0a, 0x20];
const nothing = Buffer.alloc(0);
const lineEnd = Buffer.from('\n');

/** `2026-01-02T03:04:05.123456789Z stdout F `. Undefined for what is none. */
function headOf(text: string): Head | undefined {
  const [stamp = '', stream, tags = ''] = text.split(' ');
  const time = parseTimestamp(stamp);
  if (time === undefined || (stream !== 'stdout' && stream !== 'stderr')) return undefined;
  return { time, stream, partial: tags.split(':')[0] === 'P' };
}

/** Behind the third space; -1 if it is not there, or not before the line ends. */
function headEnd(bytes: Buffer): number {
  const lineEnds = bytes.indexOf(newline);
  let at = -1;
  for (let spaces = 0; spaces < 3; spaces += 1) {
    at = bytes.indexOf(space, at + 1);
    if (at < 0 || (lineEnds >= 0 && at > lineEnds)) return -1;
  }
  return at + 1;
}

const view = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

class Entries implements LogEntries {
  readonly #options: EntryOptions;
  #state: State = { kind: 'head' };
  /** The begin of a head of which the end has not come yet. */
  #begun = nothing;
  #out: Uint8Array[] = [];
  #left: number;
  /** What was shown last ended its line. */
  #lineEnded = true;

  constructor(options: EntryOptions) {
    this.#options = options;
    this.#left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  }

  get full(): boolean {
    return this.#left <= 0;
  }

  push(bytes: Uint8Array): Uint8Array {
    let rest = view(bytes);
    while (rest.length > 0 && !this.full) {
      rest = this.#state.kind === 'head' ? this.#head(rest) : this.#line(rest, this.#state);
    }
    const out = Buffer.concat(this.#out);
    this.#out = [];
    return out;
  }

  /** What is left behind the head. */
  #head(bytes: Buffer): Buffer {
    const room = bytes.subarray(0, maxHeadBytes - this.#begun.length);
    const known = this.#begun.length === 0 ? room : Buffer.concat([this.#begun, room]);
    const end = headEnd(known);
    if (end < 0 && known.length < maxHeadBytes && !known.includes(newline)) {
      this.#begun = Buffer.from(known);
      return nothing;
    }
    const before = this.#begun.length;
    this.#begun = nothing;
    const head = end < 0 ? undefined : headOf(known.toString('latin1', 0, end));
    if (head === undefined) {
      this.#state = { kind: 'skip' };
      return bytes;
    }
    this.#open(head);
    return bytes.subarray(end - before);
  }

  #open({ time, stream, partial }: Head): void {
    const { sinceNs, timestamps } = this.#options;
    const wanted = this.#options.stream.toLowerCase();
    const shown = (wanted === 'all' || wanted === stream) && (sinceNs === undefined || time.ns >= sinceNs);
    this.#state = { kind: 'text', shown, partial };
    if (!shown) return;
    if (timestamps && this.#lineEnded) this.#emit(Buffer.from(`${time.text} `));
    this.#lineEnded = !partial;
  }

  #line(bytes: Buffer, state: Exclude<State, { kind: 'head' }>): Buffer {
    const at = bytes.indexOf(newline);
    const shown = state.kind === 'text' && state.shown;
    if (shown) this.#emit(at < 0 ? bytes : bytes.subarray(0, at));
    if (at < 0) return nothing;
    if (shown && !state.partial) this.#emit(lineEnd);
    this.#state = { kind: 'head' };
    return bytes.subarray(at + 1);
  }

  #emit(bytes: Uint8Array): void {
    const cut = bytes.subarray(0, this.#left);
    this.#left -= cut.length;
    this.#out.push(cut);
  }
}

/**
 * The CRI's log format: `TIME STREAM TAGS TEXT`, tag `P` for a part of a line and `F` for its end. Lines that are not in it
 * are left out. Source: `k8s.io/cri-client/pkg/logs`.
 */
export const createLogEntries = (options: EntryOptions): LogEntries => new Entries(options);
