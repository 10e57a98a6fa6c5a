import type { IncomingMessage } from 'node:http';
import { SelvedgeError } from '@selvedge/kit';

export interface BodiesOptions {
  readonly maxBytes: number;
  /** Of all bodies that are being read. */
  readonly maxBytesInAll: number;
}

/** Reads the bodies of requests into a bounded memory. */
export interface Bodies {
  /** Rejects with `ResourceExhausted` for a longer one, with `Unavailable` when the others leave no room. */
  read(request: IncomingMessage): Promise<Buffer>;
}

export function createBodies({ maxBytes, maxBytesInAll }: BodiesOptions): Bodies {
  let inAll = 0;
  const admit = (size: number): void => {
    if (size > maxBytes) throw new SelvedgeError('the body is too large', { code: 'ResourceExhausted' });
    if (inAll > maxBytesInAll) throw new SelvedgeError('too many bodies at a time', { code: 'Unavailable' });
  };
  return {
    async read(request) {
      const chunks: Buffer[] = [];
      let size = 0;
      try {
        for await (const chunk of request as AsyncIterable<Buffer>) {
          size += chunk.length;
          inAll += chunk.length;
          admit(size);
          chunks.push(chunk);
        }
        return Buffer.concat(chunks);
      } finally {
        inAll -= size;
      }
    },
  };
}
