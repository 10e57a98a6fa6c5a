import type { IncomingHttpHeaders } from 'node:http';
import { connectionHeaders } from '../connection-headers/index.ts';

/** Set anew for each request, or an identity that only an authenticating proxy may name. */
const own = /^(?::.*|authorization|cookie|content-length|accept-encoding|expect|x-remote-.*|x-forwarded-.*)$/;

/** What goes upstream of a client's headers. */
export function requestHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !connectionHeaders.has(name) && !own.test(name)),
  );
}

/** What of upstream's headers goes to the client, without those in `dropped`. */
export function responseHeaders(
  headers: IncomingHttpHeaders,
  ...dropped: readonly string[]
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      const kept = value !== undefined && !name.startsWith(':') && !connectionHeaders.has(name);
      if (!kept || dropped.includes(name)) return [];
      return [[name, Array.isArray(value) ? value.join(', ') : value]];
    }),
  );
}

/** Whether the request is made in somebody else's name; then nothing of it says what its sender may see. */
export function impersonates(headers: Readonly<Record<string, string>>): boolean {
  return Object.keys(headers).some((name) => name.startsWith('impersonate-'));
}
