/** The tags that certificates and requests are made of. Source: X.690, chapter 8. */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  identifier: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  context0: 0xa0,
  context3: 0xa3,
} as const;

/** One value: tag, length, content. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const size = body.length.toString(16);
  const digits = Buffer.from(size.length % 2 === 0 ? size : `0${size}`, 'hex');
  const length = body.length < 0x80 ? digits : Buffer.concat([Uint8Array.of(0x80 | digits.length), digits]);
  return Buffer.concat([Uint8Array.of(tag), length, body]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => der(tags.sequence, ...parts);

/** Seven bits a byte; all but the last say that more come. */
function arcBytes(arc: number): readonly number[] {
  const bytes = [arc & 0x7f];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.unshift(0x80 | (rest & 0x7f));
  }
  return bytes;
}

/** An object identifier: `2.5.29.17`. Source: X.690 section 8.19. */
export function identifier(text: string): Buffer {
  const [root = 0, first = 0, ...others] = text.split('.').map(Number);
  return der(tags.identifier, Uint8Array.from([root * 40 + first, ...others].flatMap(arcBytes)));
}

/** Whole bytes; none are unused. */
export const bitString = (bytes: Uint8Array): Buffer => der(tags.bitString, Uint8Array.of(0), bytes);

/** A non-negative number, big-endian, of any length. */
export function unsigned(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Uint8Array.of(0) : bytes.subarray(first);
  return der(tags.integer, (digits[0] ?? 0) < 0x80 ? digits : Buffer.concat([Uint8Array.of(0), digits]));
}

/** Milliseconds since the epoch, in whole seconds. Source: RFC 5280 section 4.1.2.5. */
export function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/\.\d+|[-:T]/g, '');
  const year = Number(digits.slice(0, 4));
  return year < 2050
    ? der(tags.utcTime, Buffer.from(digits.slice(2)))
    : der(tags.generalizedTime, Buffer.from(digits));
}
