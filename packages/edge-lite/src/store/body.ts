import type { Sealer } from './seal.ts';

/** How one JSON document lies in a column. */
export interface Body {
  readonly sealed: boolean;
  readonly bytes: Uint8Array;
}

/** `row` names table and key; a sealed body only opens for the row that it was sealed for. */
export interface BodyCodec {
  encode(row: string, json: string, sealed: boolean): Body;
  decode(row: string, body: Body): string;
}

export function createBodyCodec(sealer: Sealer): BodyCodec {
  return {
    encode(row, json, sealed) {
      const plain = Buffer.from(json);
      return { sealed, bytes: sealed ? sealer.seal(row, plain) : plain };
    },
    decode(row, { sealed, bytes }) {
      const plain = sealed ? sealer.open(row, bytes) : bytes;
      return Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength).toString();
    },
  };
}
