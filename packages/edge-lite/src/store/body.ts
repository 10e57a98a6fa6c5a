import { crc32 } from 'node:zlib';
import { SelvedgeError } from '@selvedge/kit';
import type { Sealer } from './seal.ts';

/**
 * How a document lies in its column, a number on disk: 1 sealed, 2 as JSON behind its checksum. SQLite does not notice a
 * bit that flips inside a value; both forms do.
 */
export type BodyForm = 1 | 2;

/** How one JSON document lies in a column. */
export interface Body {
  readonly form: BodyForm;
  readonly bytes: Uint8Array;
}

/** A body as its columns tell it: anything may have become of them. */
export type StoredBody = Readonly<Record<keyof Body, unknown>>;

/** `row` names table and key; a body only opens for the row that it was made for. */
export interface BodyCodec {
  encode(row: string, json: string, sealed: boolean): Body;
  /** Throws `Corrupt` for what is not what `encode` made for this row. */
  decode(row: string, stored: StoredBody): string;
}

const sumBytes = 4;
const text = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();

/** Four bytes of CRC-32 (little end first) over the row's name and the document, then the document. */
function withSum(row: string, json: string): Uint8Array {
  const bytes = Buffer.allocUnsafe(sumBytes + Buffer.byteLength(json));
  bytes.write(json, sumBytes);
  bytes.writeUInt32LE(crc32(bytes.subarray(sumBytes), crc32(row)));
  return bytes;
}

function checked(row: string, bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const plain = bytes.subarray(sumBytes);
  if (bytes.length >= sumBytes && view.getUint32(0, true) === crc32(plain, crc32(row))) return plain;
  throw new SelvedgeError(`row ${row} is not what was written`, { code: 'Corrupt' });
}

export function createBodyCodec(sealer: Sealer): BodyCodec {
  const open = (row: string, { form, bytes }: StoredBody): Uint8Array => {
    if (form === 1 && bytes instanceof Uint8Array) return sealer.open(row, bytes);
    if (form === 2 && bytes instanceof Uint8Array) return checked(row, bytes);
    throw new SelvedgeError(`row ${row} has a body of unknown form ${String(form)}`, { code: 'Corrupt' });
  };
  return {
    encode(row, json, sealed) {
      if (!sealed) return { form: 2, bytes: withSum(row, json) };
      return { form: 1, bytes: sealer.seal(row, Buffer.from(json)) };
    },
    decode: (row, stored) => text(open(row, stored)),
  };
}
