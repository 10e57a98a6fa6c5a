import type { IncomingHttpHeaders } from 'node:http';

/** The token of `Authorization: Bearer …`. Source: RFC 6750 section 2.1. */
export function bearerTokenOf(headers: IncomingHttpHeaders): string | undefined {
  const [, token] = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? [];
  return token;
}
