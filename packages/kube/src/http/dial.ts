import type { Socket } from 'node:net';
import { SelvedgeError, type Clock } from '@selvedge/kit';
import { dial as dialAny, type DialOptions as AnyDialOptions } from '@selvedge/kit/net';
import type { Credentials } from '../credentials.ts';

export interface DialOptions extends Omit<AnyDialOptions, 'trust' | 'protocols' | 'minVersion'> {
  readonly credentials: Credentials;
  /** What the server may choose from. Default: both. */
  readonly protocols?: readonly Protocol[];
}

type Protocol = 'h2' | 'http/1.1';

export interface Dialled {
  readonly socket: Socket;
  readonly protocol: Protocol;
}

/** Opens a socket, with TLS for `https`. Rejects with `Unavailable` or `DeadlineExceeded`, and `details.unsent`. */
export async function dial(options: DialOptions, clock: Clock, signal: AbortSignal): Promise<Dialled> {
  const { credentials: trust, protocols = ['h2', 'http/1.1'] } = options;
  const { socket, protocol } = await dialAny({ ...options, trust, protocols }, clock, signal);
  return { socket, protocol: protocol === 'h2' ? 'h2' : 'http/1.1' };
}

/** Throws `Invalid` for a token or a certificate that `http:` would show to everyone on the way. */
export function refuseCleartext(url: URL, { bearerToken, clientCertificate }: Credentials): void {
  if (url.protocol !== 'http:' || (bearerToken === undefined && clientCertificate === undefined)) return;
  throw new SelvedgeError(`${url.host} is asked over http, which does not keep credentials secret`, {
    code: 'Invalid',
    hint: 'use an https:// server, or no credentials',
  });
}

/** A server's URL, checked. `http:` is for servers that want no credentials. Throws `Invalid`. */
export function parseServer(server: string): URL {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new SelvedgeError(`server ${server} is not an http or https URL`, { code: 'Invalid' });
  }
  if (url.username !== '' || url.search !== '' || url.hash !== '') {
    throw new SelvedgeError(`server ${server} carries a user, a query or a fragment`, { code: 'Invalid' });
  }
  return url;
}
