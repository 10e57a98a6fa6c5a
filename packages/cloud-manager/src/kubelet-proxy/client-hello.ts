/** What the first bytes of a TLS connection say. */
export type Hello =
  /** Not all of it has come: at least so many bytes of the connection are needed. */
  | { readonly kind: 'incomplete'; readonly needs: number }
  /** `serverName` in lower case; undefined: it names none. */
  | { readonly kind: 'hello'; readonly serverName: string | undefined }
  | { readonly kind: 'malformed'; readonly problem: string };

/** More than anybody cuts it into. */
const maxRecords = 32;

/** Bytes of the records with a ClientHello. Those of browsers and Go have 300 to 2,000. */
export const maxHelloBytes = 16_384;

const recordHeader = 5;
const handshakeHeader = 4;
const handshakeRecord = 22;
const clientHello = 1;
const serverNameExtension = 0;
const hostNameType = 0;

const hostName = /^(?=.{1,253}$)[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?(\.[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?)*\.?$/i;

class Malformed extends Error {}

/** Reads what has a length in front of it. Throws `Malformed` beyond the end. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  take(length: number): Buffer {
    if (length > this.left) throw new Malformed('a length is beyond the end');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  number(size: 1 | 2): number {
    return this.take(size).readUIntBE(0, size);
  }

  /** What follows a length of `size` bytes. */
  vector(size: 1 | 2): Reader {
    return new Reader(this.take(this.number(size)));
  }

  rest(): Buffer {
    return this.take(this.left);
  }
}

function hostNameOf(names: Reader): string | undefined {
  while (names.left > 0) {
    const type = names.number(1);
    const value = names.vector(2).rest().toString('latin1');
    if (type !== hostNameType) continue;
    if (!hostName.test(value)) throw new Malformed('the server name is no host name');
    return value.toLowerCase().replace(/\.$/, '');
  }
  return undefined;
}

/** Of the body of a ClientHello. Source: RFC 8446 section 4.1.2, RFC 6066 section 3. */
function serverNameOf(body: Reader): string | undefined {
  body.take(2 + 32);
  body.vector(1);
  body.vector(2);
  body.vector(1);
  if (body.left === 0) return undefined;
  const extensions = body.vector(2);
  while (extensions.left > 0) {
    const type = extensions.number(2);
    const data = extensions.vector(2);
    if (type === serverNameExtension) return hostNameOf(data.vector(2));
  }
  return undefined;
}

/** Where the payload of the record at `at` ends. Throws `Malformed`. */
function endOfRecord(bytes: Buffer, at: number): number {
  if (bytes[at] !== handshakeRecord || bytes[at + 1] !== 3) throw new Malformed('not a TLS handshake');
  const length = bytes.readUInt16BE(at + 3);
  const end = at + recordHeader + length;
  if (length === 0) throw new Malformed('an empty record');
  if (end > maxHelloBytes) throw new Malformed(`longer than ${maxHelloBytes} bytes`);
  return end;
}

/** Length of the handshake message that begins so, header included; undefined: not enough to tell. */
function messageLength(pieces: readonly Buffer[]): number | undefined {
  const header = Buffer.concat(pieces.map((piece) => piece.subarray(0, handshakeHeader)));
  if (header[0] !== clientHello) throw new Malformed('not a ClientHello');
  return header.length < handshakeHeader ? undefined : handshakeHeader + header.readUIntBE(1, 3);
}

/** The body of the handshake message, which may be cut over several records; a number: so many bytes are needed. */
function messageOf(bytes: Buffer): Buffer | number {
  const pieces: Buffer[] = [];
  let gathered = 0;
  for (let at = 0; ; ) {
    if (bytes.length < at + recordHeader) return at + recordHeader;
    const end = endOfRecord(bytes, at);
    if (bytes.length < end) return end;
    if (pieces.length === maxRecords) throw new Malformed(`in more than ${maxRecords} records`);
    pieces.push(bytes.subarray(at + recordHeader, end));
    gathered += end - at - recordHeader;
    const length = messageLength(pieces);
    if (length !== undefined && gathered >= length) {
      return Buffer.concat(pieces).subarray(handshakeHeader, length);
    }
    at = end;
  }
}

/** Reads the server name of a TLS connection from its first bytes. Pure; never throws. */
export function parseClientHello(bytes: Buffer): Hello {
  try {
    const message = messageOf(bytes);
    if (typeof message === 'number') return { kind: 'incomplete', needs: message };
    return { kind: 'hello', serverName: serverNameOf(new Reader(message)) };
  } catch (error) {
    if (error instanceof Malformed) return { kind: 'malformed', problem: error.message };
    throw error;
  }
}

/** Fatal alerts. Source: RFC 8446 section 6.2. */
const alerts = { decodeError: 50, internalError: 80, unrecognizedName: 112 } as const;

export type Alert = keyof typeof alerts;

/** The record that tells a client why the handshake ends here. */
export const alertRecord = (alert: Alert): Buffer => Buffer.from([21, 3, 3, 0, 2, 2, alerts[alert]]);
