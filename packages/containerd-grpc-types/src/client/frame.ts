import { SelvedgeError } from '@selvedge/kit';

/** One byte of flags, four of length, then the message. Source: gRPC's PROTOCOL-HTTP2.md, "Length-Prefixed-Message". */
const prefixBytes = 5;

/** `message` with its prefix, not compressed. */
export function encodeFrame(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(prefixBytes + message.byteLength);
  frame[0] = 0;
  frame.writeUInt32BE(message.byteLength, 1);
  frame.set(message, prefixBytes);
  return frame;
}

/** Turns chunks of any size into messages. Holds at most one unfinished message. */
export interface FrameDecoder {
  /**
   * The messages that `chunk` completes. Throws `ResourceExhausted` as soon as a prefix announces more than the cap,
   * `Internal` for a compressed message (none was asked for).
   */
  push(chunk: Uint8Array): Uint8Array[];
  /** How many bytes of an unfinished message are held. */
  readonly pendingBytes: number;
}

function payloadLength(prefix: Buffer, maxMessageBytes: number): number {
  if (prefix[0] !== 0) throw new SelvedgeError('a message is compressed', { code: 'Internal' });
  const length = prefix.readUInt32BE(1);
  if (length <= maxMessageBytes) return length;
  const message = `a message of ${length} bytes is over the cap of ${maxMessageBytes}`;
  throw new SelvedgeError(message, { code: 'ResourceExhausted' });
}

export function createFrameDecoder(maxMessageBytes: number): FrameDecoder {
  let chunks: Buffer[] = [];
  let held = 0;
  let needed = prefixBytes;
  let inPayload = false;
  /** Cuts the `needed` bytes off what is held. */
  const cut = (): Buffer => {
    const [first] = chunks;
    const all = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, held);
    const piece = all.subarray(0, needed);
    chunks = all.byteLength > needed ? [all.subarray(needed)] : [];
    held -= needed;
    return piece;
  };
  return {
    get pendingBytes() {
      return held + (inPayload ? prefixBytes : 0);
    },
    push(chunk) {
      if (chunk.byteLength > 0) chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      held += chunk.byteLength;
      const messages: Uint8Array[] = [];
      while (held >= needed) {
        const piece = cut();
        if (inPayload) messages.push(piece);
        needed = inPayload ? prefixBytes : payloadLength(piece, maxMessageBytes);
        inPayload = !inPayload;
      }
      return messages;
    },
  };
}
