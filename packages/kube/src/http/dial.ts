import { connect, isIP, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { SelvedgeError, hasCode, raceAbort, systemCode, withDeadline, type Clock } from '@selvedge/kit';
import type { Credentials } from '../credentials.ts';
import type { HttpTimeouts } from './types.ts';

export interface DialOptions {
  readonly url: URL;
  readonly credentials: Credentials;
  readonly timeouts: HttpTimeouts;
  /** The name that the server's certificate must carry, if it is not the URL's host. */
  readonly serverName?: string | undefined;
}

export interface Dialled {
  readonly socket: Socket;
  readonly protocol: 'h2' | 'http/1.1';
}

const keepAliveMs = 15_000;

/** `https://[::1]:6443` → `::1`. */
const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');

/** Resolves with the event; a socket under a TLS socket may close without an error. */
async function established(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once(event, resolve);
  socket.once('error', reject);
  socket.once('close', () => {
    reject(new Error('closed before it was established'));
  });
  try {
    await raceAbort(promise, signal);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/**
 * A reset that comes with the end of the handshake is lost, and the connection hangs, when an HTTP/2 session takes the
 * socket over in the same turn of the event loop (seen with Node 24.21). One turn later it is an error of the socket.
 */
async function settled(socket: Socket, url: URL, signal: AbortSignal): Promise<void> {
  await setImmediate();
  if (signal.aborted) socket.destroy();
  if (socket.destroyed) throw new Error(`${url.host} closed the connection after the handshake`);
}

async function dialTcp(options: DialOptions, clock: Clock, signal: AbortSignal): Promise<Socket> {
  const { url, timeouts } = options;
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  const what = `connecting to ${url.host}`;
  return withDeadline({ what, timeoutMs: timeouts.dialMs, signal }, clock, async (inner) => {
    const socket = connect({
      host: hostOf(url),
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveMs,
    });
    socket.on('error', () => undefined);
    await established(socket, 'connect', inner);
    return socket;
  });
}

function tlsSocket(options: DialOptions, socket: Socket): TLSSocket {
  const { credentials } = options;
  const host = hostOf(options.url);
  const servername = options.serverName ?? (isIP(host) === 0 ? host : '');
  const tls = connectTls({
    socket,
    host,
    servername,
    ...(credentials.certificateAuthority === undefined ? {} : { ca: credentials.certificateAuthority }),
    ...(credentials.clientCertificate === undefined
      ? {}
      : { cert: credentials.clientCertificate.certificate, key: credentials.clientCertificate.privateKey }),
    ALPNProtocols: ['h2', 'http/1.1'],
    minVersion: 'TLSv1.2',
  });
  tls.on('error', () => undefined);
  return tls;
}

/** Opens a socket, with TLS for `https`. Rejects with `Unavailable` or `DeadlineExceeded`, and `details.unsent`. */
export async function dial(options: DialOptions, clock: Clock, signal: AbortSignal): Promise<Dialled> {
  const { url, timeouts } = options;
  try {
    const socket = await dialTcp(options, clock, signal);
    if (url.protocol === 'http:') return { socket, protocol: 'http/1.1' };
    const what = `TLS handshake with ${url.host}`;
    return await withDeadline({ what, timeoutMs: timeouts.handshakeMs, signal }, clock, async (inner) => {
      const tls = tlsSocket(options, socket);
      await established(tls, 'secureConnect', inner);
      await settled(tls, url, inner);
      return { socket: tls, protocol: tls.alpnProtocol === 'h2' ? 'h2' : 'http/1.1' };
    });
  } catch (cause) {
    signal.throwIfAborted();
    const code = systemCode(cause);
    throw new SelvedgeError(`cannot connect to ${url.host}`, {
      code: hasCode(cause, 'DeadlineExceeded') ? 'DeadlineExceeded' : 'Unavailable',
      cause,
      details: { unsent: true, ...(code === undefined ? {} : { systemCode: code }) },
    });
  }
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
