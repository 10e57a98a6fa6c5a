import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { type Socket, connect as connectSocket } from 'node:net';
import { type Clock, SelvedgeError, withDeadline } from '@selvedge/kit';

export interface DialOptions {
  /** As `node:net` takes it. */
  readonly socketPath: string;
  /** How long the socket may take to open, in milliseconds. */
  readonly dialTimeoutMs: number;
  /** How long the server's SETTINGS may take after that, in milliseconds. */
  readonly handshakeTimeoutMs: number;
}

/** An HTTP/2 session and the socket below it, which can outlive it: a drained server may never close its side. */
export interface Link {
  readonly session: ClientHttp2Session;
  readonly socket: Socket;
}

/** Resolves with `event`; rejects when the session fails or closes before. */
function reached(session: ClientHttp2Session, event: 'connect' | 'remoteSettings'): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  session.once(event, () => {
    resolve();
  });
  session.once('error', reject);
  session.once('close', () => {
    reject(new SelvedgeError('the connection was closed', { code: 'Unavailable' }));
  });
  promise.catch(() => undefined);
  return promise;
}

/**
 * A session whose server has answered. Session and socket are the caller's to destroy; their errors are already
 * listened for and show as the session's `close`.
 */
export async function dial(options: DialOptions, clock: Clock, signal: AbortSignal): Promise<Link> {
  const socket = connectSocket({ path: options.socketPath });
  socket.on('error', () => undefined);
  const session = connectHttp2('http://localhost', {
    createConnection: () => socket,
    settings: { enablePush: false },
  });
  session.on('error', () => undefined);
  const [open, answered] = [reached(session, 'connect'), reached(session, 'remoteSettings')];
  try {
    const { dialTimeoutMs, handshakeTimeoutMs } = options;
    await withDeadline({ what: 'connecting', timeoutMs: dialTimeoutMs, signal }, clock, () => open);
    const handshake = { what: 'the HTTP/2 handshake', timeoutMs: handshakeTimeoutMs, signal };
    await withDeadline(handshake, clock, () => answered);
    return { session, socket };
  } catch (error) {
    session.destroy();
    socket.destroy();
    throw error;
  }
}
