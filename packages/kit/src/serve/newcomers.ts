import type { Socket } from 'node:net';

/** Connections that have not said yet what they want. */
export interface Newcomers {
  readonly size: number;
  /** One more than fit costs the eldest its place. */
  add(socket: Socket): void;
  /** It, or the TLS connection inside of it, has said what it wants. */
  remove(socket: Pick<Socket, 'remoteAddress' | 'remotePort'>): void;
}

const keyOf = ({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string =>
  `${remoteAddress} ${remotePort}`;

/** Of TCP. So that many who never say anything keep nobody out. */
export function createNewcomers(capacity: number): Newcomers {
  const sockets = new Map<string, Socket>();
  return {
    get size() {
      return sockets.size;
    },
    add(socket) {
      const key = keyOf(socket);
      sockets.set(key, socket);
      socket.once('close', () => {
        if (sockets.get(key) === socket) sockets.delete(key);
      });
      const [eldest] = sockets.values();
      if (sockets.size > capacity) eldest?.destroy();
      if (sockets.size > capacity && eldest !== undefined) sockets.delete(keyOf(eldest));
    },
    remove: (socket) => void sockets.delete(keyOf(socket)),
  };
}
