import type { Duplex } from 'node:stream';
import { SelvedgeError, withDeadline, type Clock } from '@selvedge/kit';
import { broken } from '@selvedge/kit/net';
import { WebSocket } from 'ws';
import { WebSocketBytes, webSocketOptions } from '../carrier/web-socket-bytes.ts';
import { webSocketProtocol } from '../protocol/versions.ts';

export interface WebSocketOptions {
  readonly url: URL;
  readonly handshakeMs: number;
}

function opened(webSocket: WebSocket, host: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  webSocket.once('open', () => resolve());
  webSocket.on('error', (error) => reject(broken(host, error)));
  webSocket.once('close', () => reject(broken(host)));
  webSocket.once('unexpected-response', (_request, response) => {
    const { statusCode = 0, statusMessage = '' } = response;
    const message = `${host} answered ${statusCode} ${statusMessage} to the upgrade`;
    reject(new SelvedgeError(message, { code: 'Unavailable', details: { status: statusCode } }));
  });
  return promise;
}

/**
 * Upgrades a connected socket, on which TLS is done if it is to be, to a WebSocket, and gives the bytes of its messages.
 * Rejects with `Unavailable` if the server, or what stands before it, does not upgrade.
 */
export async function openWebSocket(
  { url, handshakeMs }: WebSocketOptions,
  { clock, socket }: { readonly clock: Clock; readonly socket: Duplex },
  signal: AbortSignal,
): Promise<Duplex> {
  // The TLS of `wss:` is in the socket already.
  const webSocket = new WebSocket(url.href.replace(/^wss:/, 'ws:'), webSocketProtocol, {
    createConnection: () => socket,
    headers: { host: url.host },
    ...webSocketOptions,
  });
  const what = `the upgrade by ${url.host}`;
  try {
    const done = opened(webSocket, url.host);
    await withDeadline({ what, timeoutMs: handshakeMs, signal }, clock, () => done);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return new WebSocketBytes(webSocket);
}
