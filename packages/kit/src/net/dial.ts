import type { Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import { SelvedgeError, hasCode, systemCode } from '../errors.ts';
import { connectThrough, type HttpProxy } from './proxy.ts';
import { connectTcp, type SocketServices } from './tcp.ts';
import type { DialTimeouts } from './timeouts.ts';
import { secure, type TlsOptions } from './tls.ts';

export interface DialTarget extends SocketServices {
  readonly url: URL;
  readonly timeouts: DialTimeouts;
  readonly proxy?: HttpProxy | undefined;
}

export interface DialOptions
  extends DialTarget,
    Pick<TlsOptions, 'trust' | 'serverName' | 'protocols' | 'minVersion'> {}

export interface Dialled {
  readonly socket: Socket;
  /** What the server chose; undefined without TLS, or where it chose nothing. */
  readonly protocol: string | undefined;
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

/** Opens a bare TCP connection, through the proxy if there is one. Rejects as `dial`. */
export function dialTcp(target: DialTarget, clock: Clock, signal: AbortSignal): Promise<Socket> {
  return dialled(target, signal, () => openTcp(target, clock, signal));
}

/**
 * Opens a socket, with TLS unless the URL's scheme is `http:` or `ws:`. Rejects with `Unavailable` or
 * `DeadlineExceeded`, and `details.unsent`.
 */
export function dial(options: DialOptions, clock: Clock, signal: AbortSignal): Promise<Dialled> {
  const { url, timeouts, trust, serverName, protocols, minVersion } = options;
  return dialled<Dialled>(options, signal, async () => {
    const socket = await openTcp(options, clock, signal);
    if (url.protocol === 'http:' || url.protocol === 'ws:') return { socket, protocol: undefined };
    const { handshakeMs } = timeouts;
    const tls = { url, handshakeMs, trust, serverName, protocols, minVersion };
    const secured = await secure(tls, { clock, socket }, signal);
    return { socket: secured, protocol: secured.alpnProtocol || undefined };
  });
}
