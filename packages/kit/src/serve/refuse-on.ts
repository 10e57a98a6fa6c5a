import { type IncomingHttpHeaders, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** Header fields as they are sent or as they came. */
export type Fields = IncomingHttpHeaders | Readonly<Record<string, string>>;

function lines(headers: Fields): readonly string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => `${name}: ${one ?? ''}`),
  );
}

/** The status line and the header fields of an answer on a bare connection. */
export const headOf = (status: number, headers: Fields): string =>
  [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...lines(headers), '', ''].join('\r\n');

export interface Refusal {
  readonly status: number;
  readonly headers: Fields;
  /** One that is still to come is left out. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
}

/** In which a client takes the answer before its connection is broken; as in Go's net/http. */
const lingerMs = 500;

/** Writes a whole answer on a bare connection and ends it, whether the client ends its side or not. */
export function refuseOn(socket: Duplex, { status, headers, body }: Refusal): void {
  const { 'transfer-encoding': _chunked, 'keep-alive': _alive, ...kept } = headers;
  const whole = body instanceof Uint8Array ? body : new Uint8Array();
  const own = { ...kept, 'content-length': String(whole.byteLength), connection: 'close' };
  socket.once('finish', () => setTimeout(() => socket.destroy(), lingerMs).unref());
  socket.end(Buffer.concat([Buffer.from(headOf(status, own)), whole]));
}
