/** X.690 tags. */
export const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  context0: 0xa0,
  context3: 0xa3,
} as const;

/** One value: tag, length, content. */
export function der(type: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const size = body.length.toString(16);
  const digits = Buffer.from(size.length % 2 === 0 ? size : `0${size}`, 'hex');
  const length = body.length < 0x80 ? digits : Buffer.concat([Uint8Array.of(0x80 | digits.length), digits]);
  return Buffer.concat([Uint8Array.of(type), length, body]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => der(tag.sequence, ...parts);

/** An object identifier, its content in hexadecimal. */
export const identifier = (hex: string): Buffer => der(tag.oid, Buffer.from(hex, 'hex'));

/** Whole bytes; none are unused. */
export const bitString = (bytes: Uint8Array): Buffer => der(tag.bitString, Uint8Array.of(0), bytes);

/** A non-negative number, big-endian, of any length. */
export function unsigned(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Uint8Array.of(0) : bytes.subarray(first);
  return der(tag.integer, (digits[0] ?? 0) < 0x80 ? digits : Buffer.concat([Uint8Array.of(0), digits]));
}

/** Milliseconds since the epoch, in whole seconds. Source: RFC 5280 section 4.1.2.5. */
export function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/\.\d+|[-:T]/g, '');
  const year = Number(digits.slice(0, 4));
  return year < 2050
    ? der(tag.utcTime, Buffer.from(digits.slice(2)))
    : der(tag.generalizedTime, Buffer.from(digits));
}

/** Source: RFC 7468. */
export function pem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
