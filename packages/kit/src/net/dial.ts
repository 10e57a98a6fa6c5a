import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../clock.ts';
import { SelvedgeError, hasCode, systemCode } from '../errors.ts';
import { withDeadline } from '../scope.ts';
import { connectThrough, type HttpProxy } from './proxy.ts';
import { connectTcp, type SocketServices } from './tcp.ts';
import type { DialTimeouts } from './timeouts.ts';
import { secure, type TlsOptions } from './tls.ts';

/** Opens the bytes of a connection in a way of its own. */
export type OpenBytes = (url: URL, signal: AbortSignal) => Promise<Duplex>;

export interface DialTarget extends SocketServices {
  readonly url: URL;
  readonly timeouts: DialTimeouts;
  readonly proxy?: HttpProxy | undefined;
  /** Instead of TCP, proxy and name look-up: it has both of the timeouts together. Only for URLs with TLS. */
  readonly open?: OpenBytes | undefined;
}

export interface DialOptions
  extends DialTarget,
    Pick<TlsOptions, 'trust' | 'serverName' | 'protocols' | 'minVersion'> {
  /** What TLS is laid over, made of the connection, which it owns from then on. Default: the connection itself. */
  readonly under?: ((bytes: Duplex) => Duplex) | undefined;
}

export interface Dialled {
  readonly socket: Socket;
  /** What the server chose; undefined without TLS, or where it chose nothing. */
  readonly protocol: string | undefined;
}

/** What is asked for may be asked of another server: this one heard nothing of it. */
async function dialled<T>(
  { url, proxy, open }: DialTarget,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    signal.throwIfAborted();
    const code = cause instanceof SelvedgeError ? undefined : systemCode(cause);
    const through =
      proxy === undefined || open !== undefined ? '' : ` through the proxy ${new URL(proxy.url).host}`;
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

async function openBytes(target: DialTarget, clock: Clock, signal: AbortSignal): Promise<Duplex> {
  const { url, timeouts, open } = target;
  if (open === undefined) return openTcp(target, clock, signal);
  const timeoutMs = timeouts.dialMs + timeouts.handshakeMs;
  const wait = { what: `connecting to ${url.host}`, timeoutMs, signal };
  return withDeadline(wait, clock, (inner) => open(url, inner));
}

const isPlain = ({ protocol }: URL): boolean => protocol === 'http:' || protocol === 'ws:';

/** Opens a bare TCP connection, through the proxy if there is one. Rejects as `dial`. */
export function dialTcp(
  target: Omit<DialTarget, 'open'>,
  clock: Clock,
  signal: AbortSignal,
): Promise<Socket> {
  return dialled(target, signal, () => openTcp(target, clock, signal));
}

/** Opens the bytes of a connection without TLS. Rejects as `dial`. */
export function dialBytes(target: DialTarget, clock: Clock, signal: AbortSignal): Promise<Duplex> {
  return dialled(target, signal, () => openBytes(target, clock, signal));
}

/**
 * Opens a socket, with TLS unless the URL's scheme is `http:` or `ws:`. Rejects with `Unavailable` or
 * `DeadlineExceeded`, and `details.unsent`.
 */
export function dial(options: DialOptions, clock: Clock, signal: AbortSignal): Promise<Dialled> {
  const { url, timeouts, trust, serverName, protocols, minVersion, under } = options;
  return dialled<Dialled>(options, signal, async () => {
    if (isPlain(url)) return { socket: await openTcp(options, clock, signal), protocol: undefined };
    const bytes = await openBytes(options, clock, signal);
    const socket = under?.(bytes) ?? bytes;
    const { handshakeMs } = timeouts;
    const tls = { url, handshakeMs, trust, serverName, protocols, minVersion };
    const secured = await secure(tls, { clock, socket }, signal);
    if (options.open !== undefined) options.meter?.add(secured);
    return { socket: secured, protocol: secured.alpnProtocol || undefined };
  });
}
