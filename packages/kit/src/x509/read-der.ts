import { SelvedgeError } from '../errors.ts';
import { tags } from './der.ts';

/** A value of ASN.1: bytes, or other values. */
export interface DerValue {
  /** The first byte: class, constructed or not, number. */
  readonly tag: number;
  readonly content: Buffer;
  /** Empty unless constructed. */
  readonly values: readonly DerValue[];
}

/** A certificate request nests ten deep. */
const maxDepth = 32;
const constructed = 0x20;
const universalEnd = 0x40;

export const notDer = (problem: string): SelvedgeError =>
  new SelvedgeError(`its DER is wrong: ${problem}`, { code: 'Invalid' });

/** Where the content of the value at `at` begins, and how long it is. */
function lengthAt(bytes: Buffer, at: number): readonly [from: number, length: number] {
  const first = bytes[at + 1] ?? 0x80;
  if (first < 0x80) return [at + 2, first];
  const extra = first - 0x80;
  const from = at + 2 + extra;
  if (extra === 0 || extra > 4 || from > bytes.length) throw notDer(`length at byte ${at}`);
  const length = bytes.readUIntBE(at + 2, extra);
  if (length < 0x80 || bytes[at + 2] === 0) throw notDer(`length at byte ${at}`);
  return [from, length];
}

/** Strings and numbers are never in pieces, sequences and sets always. */
function checkTag(tag: number): void {
  const isLong = (tag & 0x1f) === 0x1f;
  const isMultiple = (tag | constructed) === tags.sequence || (tag | constructed) === tags.set;
  const isConstructed = (tag & constructed) !== 0;
  if (isLong || (tag < universalEnd && isMultiple !== isConstructed)) throw notDer(`tag ${tag}`);
}

function valuesIn(bytes: Buffer, depth: number): readonly DerValue[] {
  if (depth > maxDepth) throw notDer('too deep');
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] ?? 0;
    checkTag(tag);
    const [from, length] = lengthAt(bytes, at);
    const to = from + length;
    if (to > bytes.length) throw notDer(`length at byte ${at}`);
    const content = bytes.subarray(from, to);
    values.push({ tag, content, values: (tag & constructed) === 0 ? [] : valuesIn(content, depth + 1) });
    at = to;
  }
  return values;
}

/**
 * Reads one value and all in it. Throws `Invalid` for what another reader might take otherwise: lengths that are
 * indefinite or longer than need be, strings in pieces, bytes left over. Source: X.690, chapters 8 and 10.
 */
export function readDer(bytes: Buffer): DerValue {
  const [value, ...rest] = valuesIn(bytes, 0);
  if (value === undefined || rest.length > 0) throw notDer('not one value');
  return value;
}

/** The values in one of that tag; with `wanted`, of just these tags. Throws `Invalid`. */
export function partsOf(value: DerValue, tag: number, wanted?: readonly number[]): readonly DerValue[] {
  const found = value.values.map((each) => each.tag).join();
  if (value.tag !== tag || (wanted !== undefined && found !== wanted.join()))
    throw notDer(`${value.tag} of ${found}`);
  return value.values;
}

/** `2.5.4.3`. Throws `Invalid`. */
export function identifierOf({ tag, content }: DerValue): string {
  const arcs = [0];
  for (const byte of content) {
    const arc = arcs.at(-1) ?? 0;
    if (arc === 0 && byte === 0x80) throw notDer('identifier');
    arcs[arcs.length - 1] = arc * 128 + (byte & 0x7f);
    if (byte < 0x80) arcs.push(0);
  }
  const isWhole = ((content.at(-1) ?? 0x80) & 0x80) === 0;
  if (tag !== tags.identifier || !isWhole) throw notDer('identifier');
  const [first = 0, ...others] = arcs.slice(0, -1);
  const root = Math.min(Math.floor(first / 40), 2);
  return [root, first - root * 40, ...others].join('.');
}
