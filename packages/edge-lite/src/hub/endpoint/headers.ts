import type { IncomingHttpHeaders } from 'node:http';
import { connectionHeaders } from '../connection-headers/index.ts';

/** Of one connection only, or made anew for the next. */
const ofTheConnection: ReadonlySet<string> = new Set([...connectionHeaders, 'content-length', 'expect']);

/** Names a client gives to others or to itself: what a front proxy may say, and nobody who comes to the hub. */
const claimed = /^(forwarded$|x-forwarded-|x-real-ip$|x-remote-)/;

const kept = (name: string): boolean =>
  !name.startsWith(':') && name !== 'authorization' && !ofTheConnection.has(name) && !claimed.test(name);

const textOf = (value: string | readonly string[]): string =>
  typeof value === 'string' ? value : value.join(', ');

/** What a handler sees of a request's headers. Impersonation stays: the API server decides on it. Pure. */
export function requestHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || !kept(name) ? [] : [[name, textOf(value)]],
    ),
  );
}

/** The same for a request that asks for another protocol. Pure. */
export const upgradeHeaders = (headers: IncomingHttpHeaders): Record<string, string> => ({
  ...requestHeaders(headers),
  connection: 'Upgrade',
  upgrade: headers.upgrade ?? '',
});

/** What of an answer's headers goes to the client, whichever version of HTTP it speaks. Pure. */
export const responseHeaders = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).filter(([name]) => name === 'content-length' || !ofTheConnection.has(name)),
  );
