import { Socket, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { remoteKey } from './remote-key.ts';

/** How long what is being ended may take to be sent before it is closed as it is. */
const endingMs = 10_000;

/** Its end is on its way to the system: Node 24 loses a connection, open for good, that is reset meanwhile. */
const isEnding = ({ writableEnded, writableFinished, writableLength }: Socket): boolean =>
  writableEnded && !writableFinished && writableLength === 0;

function reset(socket: Socket, error: Error): void {
  if (socket.destroyed) return;
  try {
    socket.resetAndDestroy();
  } catch {
    // Node throws for what it cannot reset.
    socket.destroy(error);
  }
}

/**
 * Breaks what is left of a stream, so that the other end does not take it for complete: a TCP connection, and TLS over
 * one, by a reset. A Unix socket knows none: both its directions are closed, and who goes on writing gets EPIPE.
 */
export function breakOff(stream: Duplex, error: Error): void {
  if (stream.destroyed) return;
  if (!(stream instanceof Socket)) stream.destroy(error);
  else if (!isEnding(stream)) reset(stream, error);
  else {
    stream.once('finish', () => reset(stream, error));
    stream.setTimeout(endingMs, () => stream.destroy(error));
  }
}

/**
 * Lets a TLS connection be reset by way of the one that carries it. Node does it for TCP alone; the end of a TLS connection
 * that is only closed passes for a clean one with Node, Go and others, with `close_notify` or without.
 */
export function resetBy(tls: TLSSocket, carrier: Socket): void {
  tls.resetAndDestroy = () => {
    if (carrier.destroyed) return tls.destroy();
    // Not in the same turn: Node 24 dies of it.
    carrier.once('close', () => tls.destroy());
    carrier.resetAndDestroy();
    return tls;
  };
}

/** The same for all connections of a TLS server, which does not say what carries them. */
export function resetAllBy(server: Server): void {
  const carriers = new Map<string, Socket>();
  server.on('connection', (carrier: Socket) => {
    const key = remoteKey(carrier);
    carriers.set(key, carrier);
    carrier.once('close', () => {
      if (carriers.get(key) === carrier) carriers.delete(key);
    });
  });
  server.on('secureConnection', (tls: TLSSocket) => {
    const carrier = carriers.get(remoteKey(tls));
    if (carrier !== undefined) resetBy(tls, carrier);
  });
}
