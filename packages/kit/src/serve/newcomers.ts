import type { Socket } from 'node:net';
import { remoteKey } from '../net/remote-key.ts';

/** Connections that have not said yet what they want. */
export interface Newcomers {
  readonly size: number;
  /** One more than fit costs the eldest its place. */
  add(socket: Socket): void;
  /** It, or the TLS connection inside of it, has said what it wants. */
  remove(socket: Pick<Socket, 'remoteAddress' | 'remotePort'>): void;
}

/** Of TCP. So that many who never say anything keep nobody out. */
export function createNewcomers(capacity: number): Newcomers {
  const sockets = new Map<string, Socket>();
  return {
    get size() {
      return sockets.size;
    },
    add(socket) {
      const key = remoteKey(socket);
      sockets.set(key, socket);
      socket.once('close', () => {
        if (sockets.get(key) === socket) sockets.delete(key);
      });
      const [eldest] = sockets.values();
      if (sockets.size > capacity) eldest?.destroy();
      if (sockets.size > capacity && eldest !== undefined) sockets.delete(remoteKey(eldest));
    },
    remove: (socket) => void sockets.delete(remoteKey(socket)),
  };
}
