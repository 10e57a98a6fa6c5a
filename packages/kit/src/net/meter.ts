import type { Socket } from 'node:net';

/** Bytes on the wire, TLS and all, since the start. */
export interface Traffic {
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** Counts what sockets carry: those that are open, and those that were. */
export interface Meter extends Traffic {
  add(socket: Socket): void;
}

export function createMeter(): Meter {
  const open = new Set<Socket>();
  let [received, sent] = [0, 0];
  return {
    get receivedBytes() {
      return [...open].reduce((sum, { bytesRead }) => sum + bytesRead, received);
    },
    get sentBytes() {
      return [...open].reduce((sum, { bytesWritten }) => sum + bytesWritten, sent);
    },
    add(socket) {
      open.add(socket);
      socket.once('close', () => {
        open.delete(socket);
        received += socket.bytesRead;
        sent += socket.bytesWritten;
      });
    },
  };
}
