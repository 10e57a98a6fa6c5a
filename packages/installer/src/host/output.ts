import { SelvedgeError } from '@selvedge/kit';

/** What a program prints, up to a cap. */
export interface Output {
  /** False, and nothing more is kept, once it was too much. */
  take(chunk: Uint8Array): boolean;
  bytes(): Buffer;
}

export function createOutput(maxBytes: number): Output {
  const chunks: Uint8Array[] = [];
  let held = 0;
  return {
    take(chunk) {
      if (held + chunk.length > maxBytes) {
        held = Number.POSITIVE_INFINITY;
        return false;
      }
      held += chunk.length;
      chunks.push(chunk);
      return true;
    },
    bytes: () => Buffer.concat(chunks),
  };
}

export function tooMuchOutput(program: string, maxBytes: number): SelvedgeError {
  return new SelvedgeError(`${program} printed more than ${maxBytes} bytes`, { code: 'ResourceExhausted' });
}
