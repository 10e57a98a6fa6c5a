import { SelvedgeError } from '@selvedge/kit';

/** Cuts a byte stream into lines. Pure: the same lines, however the bytes are cut. */
export interface LineSplitter {
  /** Bytes of the line that is not complete yet. */
  readonly pendingBytes: number;
  /** The lines that `chunk` completes, without their newline; empty ones are left out. To be iterated to its end. */
  push(chunk: Uint8Array): Iterable<string>;
}

const newline = 0x0a;

/** Throws `ResourceExhausted`, after the lines before it, when a line is longer than `maxLineBytes`. */
export function createLineSplitter(options: { readonly maxLineBytes: number }): LineSplitter {
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  const keep = (part: Uint8Array): void => {
    pendingBytes += part.length;
    if (pendingBytes > options.maxLineBytes) {
      const message = `a line is longer than ${options.maxLineBytes} bytes`;
      throw new SelvedgeError(message, { code: 'ResourceExhausted' });
    }
    if (part.length > 0) pending.push(part);
  };
  const complete = (): string => {
    const line = Buffer.concat(pending, pendingBytes).toString('utf8');
    pending = [];
    pendingBytes = 0;
    return line;
  };
  return {
    get pendingBytes() {
      return pendingBytes;
    },
    *push(chunk) {
      let start = 0;
      for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
        keep(chunk.subarray(start, end));
        const line = complete();
        if (line !== '') yield line;
        start = end + 1;
      }
      keep(chunk.subarray(start));
    },
  };
}
