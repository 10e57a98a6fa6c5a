import { invalid } from './invalid.ts';

/** How a field's bytes are to be read. Source: protobuf.dev "Encoding"; groups are not used by Kubernetes. */
export const wireTypes = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** One field of a message. Offsets are of the message's bytes, `to` exclusive. */
export interface WireField {
  readonly number: number;
  readonly wire: number;
  /** Of its tag. */
  readonly start: number;
  /** Of its value, without a length. */
  readonly from: number;
  readonly to: number;
}

const maxVarintBytes = 10;

/** Behind the varint at `at`. */
function endOfVarint(bytes: Uint8Array, at: number): number {
  for (let next = at; next < at + maxVarintBytes; next += 1) {
    const byte = bytes[next];
    if (byte === undefined) break;
    if (byte < 0x80) return next + 1;
  }
  throw invalid('a number in it has no end');
}

/** A varint whole in `bytes`, as a signed number of 64 bits; beyond 2^53 it loses precision. */
export function varintOf(bytes: Uint8Array): number {
  let value = 0n;
  bytes.forEach((byte, index) => {
    value |= BigInt(byte & 0x7f) << BigInt(7 * index);
  });
  return Number(BigInt.asIntN(64, value));
}

export function encodeVarint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Uint8Array.from([...bytes, rest]);
}

function spanOf(bytes: Uint8Array, at: number, wire: number): readonly [from: number, to: number] {
  if (wire === wireTypes.varint) return [at, endOfVarint(bytes, at)];
  if (wire === wireTypes.fixed64) return [at, at + 8];
  if (wire === wireTypes.fixed32) return [at, at + 4];
  if (wire !== wireTypes.bytes) throw invalid(`it has a field of wire type ${wire}`);
  const from = endOfVarint(bytes, at);
  return [from, from + varintOf(bytes.subarray(at, from))];
}

/** The fields of a message in their order. Throws `Invalid`. */
export function* wireFields(bytes: Uint8Array): Generator<WireField> {
  let start = 0;
  while (start < bytes.length) {
    const afterTag = endOfVarint(bytes, start);
    const tag = varintOf(bytes.subarray(start, afterTag));
    const [number, wire] = [Math.floor(tag / 8), tag & 7];
    if (number < 1) throw invalid(`it has a field of number ${number}`);
    const [from, to] = spanOf(bytes, afterTag, wire);
    if (to < from || to > bytes.length) throw invalid('a field of it is longer than it');
    yield { number, wire, start, from, to };
    start = to;
  }
}

export const valueOf = (bytes: Uint8Array, { from, to }: WireField): Uint8Array => bytes.subarray(from, to);

export const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
