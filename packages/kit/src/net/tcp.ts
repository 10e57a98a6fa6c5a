import { connect, type LookupFunction, type Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import { raceAbort, withDeadline } from '../scope.ts';
import type { Meter } from './meter.ts';

const keepAliveMs = 15_000;
/** For each address of a name but the last; Node's default of 250 ms is less than a satellite's round trip. */
const attemptMs = 1_000;

/** `https://[::1]:6443` → `::1`. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');

/** The URL's port, its scheme's if it names none. */
export const portOf = (url: URL): number => Number(url.port) || (url.protocol === 'https:' ? 443 : 80);

/** Resolves with the event; a socket under a TLS socket may close without an error. */
export async function established(
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

/** What the sockets of one client share. */
export interface SocketServices {
  /** Finds the addresses of names. Default: the system's resolver. */
  readonly lookup?: LookupFunction | undefined;
  readonly meter?: Pick<Meter, 'add'> | undefined;
}

export interface TcpOptions extends SocketServices {
  readonly url: URL;
  readonly dialMs: number;
  /** Whether it stays open for writing when the other end has ended its side. Default false. */
  readonly allowHalfOpen?: boolean | undefined;
}

/** Opens a TCP connection to the URL's host and port. Rejects as the system says, or with `DeadlineExceeded`. */
export async function connectTcp(
  { url, dialMs, lookup, meter, allowHalfOpen = false }: TcpOptions,
  clock: Clock,
  signal: AbortSignal,
): Promise<Socket> {
  const what = `connecting to ${url.host}`;
  return withDeadline({ what, timeoutMs: dialMs, signal }, clock, async (inner) => {
    const socket = connect({
      host: hostOf(url),
      port: portOf(url),
      noDelay: true,
      allowHalfOpen,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveMs,
      autoSelectFamilyAttemptTimeout: attemptMs,
      ...(lookup === undefined ? {} : { lookup }),
    });
    socket.on('error', () => undefined);
    meter?.add(socket);
    await established(socket, 'connect', inner);
    return socket;
  });
}
