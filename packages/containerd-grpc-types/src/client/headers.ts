import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { type Outcome, outcomeOfHttp } from './status.ts';
import type { CallOptions } from './transport.ts';

/** Units of `grpc-timeout` with their length in milliseconds; at most eight digits. */
const units = [
  ['m', 1],
  ['S', 1_000],
  ['M', 60_000],
  ['H', 3_600_000],
] as const;

/** The value of the `grpc-timeout` header; rounded up, so that the server does not give up before we do. */
export function encodeTimeout(ms: number): string {
  for (const [unit, length] of units) {
    const amount = Math.max(1, Math.ceil(ms / length));
    if (amount < 1e8) return `${amount}${unit}`;
  }
  return '99999999H';
}

/** The headers of a call. No compression is offered. */
export function requestHeaders(
  path: string,
  { deadlineMs, metadata }: Pick<CallOptions, 'deadlineMs' | 'metadata'>,
): OutgoingHttpHeaders {
  return {
    ...metadata,
    ':method': 'POST',
    ':scheme': 'http',
    ':authority': 'localhost',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    'user-agent': 'selvedge',
    ...(deadlineMs === undefined ? {} : { 'grpc-timeout': encodeTimeout(deadlineMs) }),
  };
}

/** Decodes `grpc-message`. What is not a valid escape stays as it is, as the protocol asks. */
export function decodeMessage(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  const decoded: number[] = [];
  for (let at = 0; at < bytes.length; at += 1) {
    const escape = /^%([\da-f]{2})/i.exec(bytes.toString('latin1', at, at + 3));
    decoded.push(escape?.[1] === undefined ? (bytes[at] ?? 0) : Number.parseInt(escape[1], 16));
    if (escape !== null) at += 2;
  }
  return Buffer.from(decoded).toString('utf8');
}

function headerText(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}

/** The status that trailers, or the headers of a trailers-only answer, carry. Undefined if they carry none. */
export function outcomeOf(headers: IncomingHttpHeaders): Outcome | undefined {
  const status = headerText(headers['grpc-status']);
  if (status === undefined) return undefined;
  const message = decodeMessage(headerText(headers['grpc-message']) ?? '');
  return { status: /^\d+$/.test(status) ? Number(status) : 2, message };
}

/** What is wrong with an answer of this HTTP status and content type, if they are not those of a gRPC server. */
export function notGrpc(httpStatus: number | undefined, contentType = ''): Outcome | undefined {
  if (httpStatus !== 200) return outcomeOfHttp(httpStatus ?? 0);
  if (/^application\/grpc($|[+;])/.test(contentType)) return undefined;
  return { status: 2, message: `content type "${contentType}" instead of application/grpc` };
}
