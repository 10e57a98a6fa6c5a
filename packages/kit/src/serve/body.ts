import type { Readable } from 'node:stream';
import { type Clock, SelvedgeError, hasCode, messageOf, withDeadline } from '../index.ts';
import type { ByteShares, HeldBytes, Holder } from './byte-shares.ts';
import type { BodyLimits } from './limits.ts';

/** A request's body in memory, until it is disposed. */
export interface HeldBody extends Disposable {
  /** Undefined: there was none. */
  readonly bytes: Uint8Array | undefined;
}

/** Reads request bodies as a whole, so much of them at a time. */
export interface BodyReader {
  /** Rejects with 413 for one that is too large, 429 when too much is held already, and for as long as it is waited for, 400 for one that broke off. */
  read(sent: SentBody, holder: Holder, signal: AbortSignal): Promise<HeldBody>;
}

/** A body as it comes. */
export interface SentBody {
  readonly source: Readable;
  /** Its length, if the request says it. */
  readonly declared: number | undefined;
}

const badRequest = (message: string): SelvedgeError => new SelvedgeError(message, { code: 'Invalid' });

const brokenOff = (cause: unknown): SelvedgeError =>
  badRequest(`the request body broke off: ${messageOf(cause)}`);

/** What is held of one body. */
class Part implements Disposable {
  #bytes = 0;
  /** That are counted: what is announced, or what has come if that is more. */
  #counted = 0;
  #released = false;
  readonly #max: number;
  readonly #held: HeldBytes;

  constructor(max: number, held: HeldBytes) {
    this.#max = max;
    this.#held = held;
  }

  grow(bytes: number): void {
    if (this.#released) throw badRequest('the request body came too late');
    this.#bytes += bytes;
    this.check(this.#bytes);
    const more = this.#bytes - this.#counted;
    if (more <= 0) return;
    this.#held.grow(more);
    this.#counted += more;
  }

  async reserve(bytes: number, signal: AbortSignal): Promise<void> {
    await this.#held.growInTurn(bytes, signal);
    this.#counted = bytes;
  }

  check(bytes: number): void {
    if (bytes <= this.#max) return;
    const message = `Request entity too large: limit is ${this.#max}`;
    const details = { status: 413, reason: 'RequestEntityTooLarge' };
    throw new SelvedgeError(message, { code: 'Invalid', details });
  }

  [Symbol.dispose](): void {
    this.#released = true;
    this.#held[Symbol.dispose]();
  }
}

async function collect(source: Readable, part: Part): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  for await (const chunk of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    part.grow(chunk.length);
    chunks.push(chunk);
  }
  return chunks.length === 0 ? undefined : Buffer.concat(chunks);
}

export function createBodyReader(
  limits: BodyLimits,
  { clock, shares }: { readonly clock: Clock; readonly shares: ByteShares },
): BodyReader {
  const reserve = async (part: Part, bytes: number, signal: AbortSignal): Promise<void> => {
    if (limits.roomMs === undefined || bytes === 0) return;
    const within = { what: 'waiting for room', timeoutMs: limits.roomMs, signal };
    try {
      await withDeadline(within, clock, (inner) => part.reserve(bytes, inner));
    } catch (cause) {
      if (!hasCode(cause, 'DeadlineExceeded')) throw cause;
      const details = { retryAfterSeconds: 1 };
      throw new SelvedgeError('there is no room for the body', { code: 'ResourceExhausted', details, cause });
    }
  };
  return {
    async read({ source, declared = 0 }, holder, signal) {
      const part = new Part(limits.maxBodyBytes, shares.hold(holder));
      try {
        // What is announced as too large is refused before it is sent.
        part.check(declared);
        await reserve(part, declared, signal);
        const deadline = { what: 'the request body', timeoutMs: limits.bodyMs, signal };
        const bytes = await withDeadline(deadline, clock, () => collect(source, part));
        return { bytes, [Symbol.dispose]: () => part[Symbol.dispose]() };
      } catch (error) {
        part[Symbol.dispose]();
        signal.throwIfAborted();
        throw error instanceof SelvedgeError ? error : brokenOff(error);
      }
    },
  };
}
