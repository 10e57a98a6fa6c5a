import type { Socket } from 'node:net';
import { scoped } from '@selvedge/kit';

/** Of one request among those of its connection. Disposed once it is answered. */
export interface Turn extends Disposable {
  /** Settles when the requests before it are answered. */
  readonly comes: Promise<void>;
  /** Aborts when the connection ends, or the listener does. */
  readonly signal: AbortSignal;
}

/** Connections with requests, which are answered one after the other. */
export interface Connections {
  /** Undefined for one request too many. */
  join(socket: Socket): Turn | undefined;
}

interface Connection {
  readonly signal: AbortSignal;
  underWay: number;
  last: Promise<void>;
}

function open(socket: Socket, parent: AbortSignal): Connection {
  const scope = scoped(parent);
  socket.once('close', () => scope.abort());
  if (socket.destroyed) scope.abort();
  return { signal: scope.signal, underWay: 0, last: Promise.resolve() };
}

export function createConnections(maxPipelined: number, parent: AbortSignal): Connections {
  const connections = new WeakMap<Socket, Connection>();
  return {
    join(socket) {
      const connection = connections.get(socket) ?? open(socket, parent);
      connections.set(socket, connection);
      if (connection.underWay >= maxPipelined) return undefined;
      const comes = connection.last;
      const { promise, resolve } = Promise.withResolvers<void>();
      connection.last = promise;
      connection.underWay += 1;
      const end = new DisposableStack();
      end.defer(() => {
        connection.underWay -= 1;
        resolve();
      });
      return { comes, signal: connection.signal, [Symbol.dispose]: () => end.dispose() };
    },
  };
}
