import type { Readable } from 'node:stream';
import { type Clock, withDeadline } from '@selvedge/kit';
import { badRequest, statusError } from '../answers/index.ts';
import type { EndpointLimits } from './limits.ts';

/** A request's body in memory, until it is disposed. */
export interface HeldBody extends Disposable {
  /** Undefined: there was none. */
  readonly bytes: Uint8Array | undefined;
}

/** Reads request bodies as a whole, so much of them at a time. */
export interface BodyReader {
  /** Rejects with 413 for one that is too large, 429 when too much is held already, 400 for one that broke off. */
  read(source: Readable, declared: number | undefined, signal: AbortSignal): Promise<HeldBody>;
}

type Limits = Pick<EndpointLimits, 'maxBodyBytes' | 'maxBodyBytesInAll' | 'bodyMs'>;

const brokenOff = (cause: unknown): Error =>
  badRequest(`the request body broke off: ${cause instanceof Error ? cause.message : String(cause)}`);

/** A part of what all bodies together may hold. */
class Share implements Disposable {
  #bytes = 0;
  #released = false;
  readonly #limits: Limits;
  readonly #all: { bytes: number };

  constructor(limits: Limits, all: { bytes: number }) {
    this.#limits = limits;
    this.#all = all;
  }

  grow(bytes: number): void {
    const { maxBodyBytes, maxBodyBytesInAll } = this.#limits;
    if (this.#released) throw badRequest('the request body came too late');
    if (this.#bytes + bytes > maxBodyBytes) {
      const message = `Request entity too large: limit is ${maxBodyBytes}`;
      throw statusError('Invalid', message, { status: 413, reason: 'RequestEntityTooLarge' });
    }
    if (this.#all.bytes + bytes > maxBodyBytesInAll) {
      throw statusError('ResourceExhausted', 'too many request bodies are held', { retryAfterSeconds: 1 });
    }
    this.#bytes += bytes;
    this.#all.bytes += bytes;
  }

  [Symbol.dispose](): void {
    this.#all.bytes -= this.#bytes;
    this.#bytes = 0;
    this.#released = true;
  }
}

async function collect(source: Readable, share: Share): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  for await (const chunk of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    share.grow(chunk.length);
    chunks.push(chunk);
  }
  return chunks.length === 0 ? undefined : Buffer.concat(chunks);
}

export function createBodyReader(limits: Limits, { clock }: { readonly clock: Clock }): BodyReader {
  const all = { bytes: 0 };
  return {
    async read(source, declared, signal) {
      const share = new Share(limits, all);
      try {
        // What is announced as too large is refused before it is sent.
        if (declared !== undefined && declared > limits.maxBodyBytes) share.grow(declared);
        const deadline = { what: 'the request body', timeoutMs: limits.bodyMs, signal };
        const bytes = await withDeadline(deadline, clock, () => collect(source, share));
        return { bytes, [Symbol.dispose]: () => share[Symbol.dispose]() };
      } catch (error) {
        share[Symbol.dispose]();
        signal.throwIfAborted();
        throw error instanceof Error && error.name === 'SelvedgeError' ? error : brokenOff(error);
      }
    },
  };
}
