import type { Socket } from 'node:net';
import { SelvedgeError, hasCode, systemCode, type Clock } from '@selvedge/kit';
import type { Credentials } from '../credentials.ts';
import { connectThrough, type HttpProxy } from './proxy.ts';
import { connectTcp, type SocketServices } from './tcp.ts';
import { secure } from './tls.ts';
import type { HttpTimeouts } from './types.ts';

export interface DialTarget extends SocketServices {
  readonly url: URL;
  readonly timeouts: HttpTimeouts;
  readonly proxy?: HttpProxy | undefined;
}

export interface DialOptions extends DialTarget {
  readonly credentials: Credentials;
  /** The name that the server's certificate must carry, if it is not the URL's host. */
  readonly serverName?: string | undefined;
  /** What the server may choose from. Default: both. */
  readonly protocols?: readonly Protocol[];
}

type Protocol = 'h2' | 'http/1.1';

export interface Dialled {
  readonly socket: Socket;
  readonly protocol: Protocol;
}

/** What is asked for may be asked of another server: this one heard nothing of it. */
async function dialled<T>(
  { url, proxy }: DialTarget,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    signal.throwIfAborted();
    const code = cause instanceof SelvedgeError ? undefined : systemCode(cause);
    const through = proxy === undefined ? '' : ` through the proxy ${new URL(proxy.url).host}`;
    throw new SelvedgeError(`cannot connect to ${url.host}${through}`, {
      code: hasCode(cause, 'DeadlineExceeded') ? 'DeadlineExceeded' : 'Unavailable',
      cause,
      details: { unsent: true, ...(code === undefined ? {} : { systemCode: code }) },
    });
  }
}

function openTcp(target: DialTarget, clock: Clock, signal: AbortSignal): Promise<Socket> {
  const { url, timeouts, proxy } = target;
  if (proxy === undefined) return connectTcp({ ...target, dialMs: timeouts.dialMs }, clock, signal);
  return connectThrough({ proxy, target: url }, { ...target, clock }, signal);
}

/** Opens a bare TCP connection. Rejects as `dial`. */
export function dialTcp(target: DialTarget, clock: Clock, signal: AbortSignal): Promise<Socket> {
  return dialled(target, signal, () => openTcp(target, clock, signal));
}

/** Opens a socket, with TLS for `https`. Rejects with `Unavailable` or `DeadlineExceeded`, and `details.unsent`. */
export function dial(options: DialOptions, clock: Clock, signal: AbortSignal): Promise<Dialled> {
  const { url, timeouts, credentials, serverName, protocols = ['h2', 'http/1.1'] } = options;
  return dialled<Dialled>(options, signal, async () => {
    const socket = await openTcp(options, clock, signal);
    if (url.protocol === 'http:') return { socket, protocol: 'http/1.1' };
    const { handshakeMs } = timeouts;
    const tls = { url, handshakeMs, trust: credentials, serverName, protocols };
    const secured = await secure(tls, { clock, socket }, signal);
    return { socket: secured, protocol: secured.alpnProtocol === 'h2' ? 'h2' : 'http/1.1' };
  });
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
