import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP relay on a free port of the loopback interface that breaks connections on demand. */
export interface ResetProxy extends AsyncDisposable {
  readonly port: number;
  /** Bytes that the server sent through it so far. */
  readonly bytesDown: number;
  /** Connections taken so far. */
  readonly connections: number;
  /** Resets all connections at once, wherever they are in their bytes. */
  reset(): void;
  /** Resets the connections as soon as `bytes` more have come from the server: in the middle of a frame. */
  resetAfter(bytes: number): void;
  /** Passes nothing on any more, in neither direction, and says nothing: a blackhole. */
  freeze(): void;
  /** Refuses connections until `allow()`. */
  refuse(): void;
  allow(): void;
}

export async function startResetProxy(target: number): Promise<ResetProxy> {
  const sockets = new Set<Socket>();
  let [bytesDown, connections, budget, refusing, frozen] = [0, 0, Infinity, false, false];
  const reset = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
    sockets.clear();
    budget = Infinity;
  };
  const keep = (socket: Socket, other: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      sockets.delete(socket);
      other.destroy();
    });
  };
  const server = createServer((client) => {
    client.on('error', () => undefined);
    if (refusing) {
      client.resetAndDestroy();
      return;
    }
    connections += 1;
    const upstream = connect({ host: '127.0.0.1', port: target, noDelay: true });
    keep(client, upstream);
    keep(upstream, client);
    upstream.on('data', (chunk: Buffer) => {
      bytesDown += chunk.length;
      budget -= chunk.length;
      if (budget <= 0) reset();
    });
    if (frozen) return;
    client.pipe(upstream);
    upstream.pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get bytesDown() {
      return bytesDown;
    },
    get connections() {
      return connections;
    },
    reset,
    resetAfter(bytes) {
      budget = bytes;
    },
    freeze() {
      frozen = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    refuse() {
      refusing = true;
      reset();
    },
    allow() {
      refusing = false;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      reset();
      await closed;
    },
  };
}
