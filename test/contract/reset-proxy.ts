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
  /** Passes nothing on any more, in neither direction, and says nothing: a blackhole, until `thaw()`. */
  freeze(): void;
  /** Passes on what was held back, and what comes. */
  thaw(): void;
  /** Refuses connections until `allow()`. */
  refuse(): void;
  allow(): void;
  /** Holds every chunk back for so long, in each direction: half a round trip. */
  delay(ms: number): void;
}

export async function startResetProxy(target: number): Promise<ResetProxy> {
  const sockets = new Set<Socket>();
  let [bytesDown, connections, budget, refusing, frozen, delayMs] = [0, 0, Infinity, false, false, 0];
  const reset = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
    sockets.clear();
    budget = Infinity;
  };
  const later = (work: () => void): void => {
    if (delayMs === 0) work();
    else setTimeout(work, delayMs);
  };
  const relay = (from: Socket, to: Socket, seen: (chunk: Buffer) => void): void => {
    sockets.add(from);
    from.on('error', () => undefined);
    from.once('close', () => {
      sockets.delete(from);
      to.destroy();
    });
    from.on('data', (chunk: Buffer) => {
      seen(chunk);
      later(() => {
        if (to.destroyed || to.write(chunk)) return;
        from.pause();
        to.once('drain', () => (frozen ? undefined : from.resume()));
      });
    });
    from.once('end', () => later(() => to.end()));
    if (frozen) from.pause();
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    client.on('error', () => undefined);
    if (refusing) {
      client.resetAndDestroy();
      return;
    }
    connections += 1;
    const upstream = connect({ host: '127.0.0.1', port: target, noDelay: true, allowHalfOpen: true });
    relay(client, upstream, () => undefined);
    relay(upstream, client, (chunk) => {
      bytesDown += chunk.length;
      budget -= chunk.length;
      if (budget <= 0) reset();
    });
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
      for (const socket of sockets) socket.pause();
    },
    thaw() {
      frozen = false;
      for (const socket of sockets) socket.resume();
    },
    refuse() {
      refusing = true;
      reset();
    },
    allow() {
      refusing = false;
    },
    delay(ms) {
      delayMs = ms;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      reset();
      await closed;
    },
  };
}
