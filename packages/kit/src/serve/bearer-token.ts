import type { IncomingHttpHeaders } from 'node:http';

/** The token of `Authorization: Bearer …`, or of the same in another header. Source: RFC 6750 section 2.1. */
export function bearerTokenOf(
  headers: IncomingHttpHeaders,
  header: 'authorization' | 'proxy-authorization' = 'authorization',
): string | undefined {
  const [, token] = /^Bearer +(\S+) *$/i.exec(headers[header] ?? '') ?? [];
  return token;
}
