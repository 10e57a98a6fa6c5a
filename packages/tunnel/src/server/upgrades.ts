import { createServer, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { WebSocketBytes, webSocketOptions } from '../carrier/web-socket-bytes.ts';
import { webSocketPath, webSocketProtocol } from '../protocol/versions.ts';

const maxHeaderBytes = 8 * 1024;

export interface UpgradesDeps<T> {
  /** The bytes of the WebSocket's messages. */
  readonly onUpgraded: (stream: Duplex, subject: T) => void;
  /** It asked for something else, and is answered. */
  readonly onRefused: (subject: T) => void;
}

/** Answers HTTP/1.1 requests for the WebSocket carrier, and for nothing else, on streams that others accepted. */
export interface Upgrades<T> {
  accept(stream: Duplex, subject: T): void;
}

function isOurs({ url, headers }: IncomingMessage): boolean {
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim());
  return url === webSocketPath && offered.includes(webSocketProtocol);
}

export function createUpgrades<T extends object>(deps: UpgradesDeps<T>): Upgrades<T> {
  const subjects = new WeakMap<Duplex, T>();
  const webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    ...webSocketOptions,
    handleProtocols: () => webSocketProtocol,
  });
  const server = createServer({ maxHeaderSize: maxHeaderBytes, keepAlive: false }, (request, response) => {
    const subject = subjects.get(request.socket);
    response.writeHead(426, { connection: 'close', upgrade: 'websocket' }).end(() => {
      if (subject !== undefined) deps.onRefused(subject);
    });
  });
  server.on('clientError', (_error, stream) => stream.destroy());
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const subject = subjects.get(stream);
    stream.on('error', () => undefined);
    if (subject === undefined || !isOurs(request)) {
      stream.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n', () => {
        if (subject !== undefined) deps.onRefused(subject);
      });
      return;
    }
    webSockets.handleUpgrade(request, stream, head, (socket) => {
      deps.onUpgraded(new WebSocketBytes(socket), subject);
    });
  });
  return {
    accept(stream, subject) {
      subjects.set(stream, subject);
      server.emit('connection', stream);
    },
  };
}
