import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Of bytes: `up` to the server, `down` from it. */
export type Way = 'up' | 'down';

const bothWays: readonly Way[] = ['up', 'down'];

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
  /** Passes nothing on any more, in neither direction or not in that one, and says nothing: a blackhole, until `thaw()`. */
  freeze(way?: Way): void;
  /** Passes on what was held back, and what comes. */
  thaw(way?: Way): void;
  /** Refuses connections until `allow()`. */
  refuse(): void;
  allow(): void;
  /** Holds every chunk back for so long, in each direction: half a round trip. */
  delay(ms: number): void;
}

export async function startResetProxy(target: number): Promise<ResetProxy> {
  /** The way of what is read from each. */
  const sockets = new Map<Socket, Way>();
  const frozen = new Set<Way>();
  let [bytesDown, connections, budget, refusing, delayMs] = [0, 0, Infinity, false, 0];
  const ofWay = (way: Way): Socket[] => [...sockets.keys()].filter((socket) => sockets.get(socket) === way);
  const reset = (): void => {
    for (const socket of sockets.keys()) socket.resetAndDestroy();
    sockets.clear();
    budget = Infinity;
  };
  const later = (work: () => void): void => {
    if (delayMs === 0) work();
    else setTimeout(work, delayMs);
  };
  const relay = (way: Way, [from, to]: readonly [Socket, Socket], seen: (chunk: Buffer) => void): void => {
    sockets.set(from, way);
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
        to.once('drain', () => (frozen.has(way) ? undefined : from.resume()));
      });
    });
    from.once('end', () => later(() => to.end()));
    if (frozen.has(way)) from.pause();
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    client.on('error', () => undefined);
    if (refusing) {
      client.resetAndDestroy();
      return;
    }
    connections += 1;
    const upstream = connect({ host: '127.0.0.1', port: target, noDelay: true, allowHalfOpen: true });
    relay('up', [client, upstream], () => undefined);
    relay('down', [upstream, client], (chunk) => {
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
    freeze(way) {
      for (const one of way === undefined ? bothWays : [way]) {
        frozen.add(one);
        for (const socket of ofWay(one)) socket.pause();
      }
    },
    thaw(way) {
      for (const one of way === undefined ? bothWays : [way]) {
        frozen.delete(one);
        for (const socket of ofWay(one)) socket.resume();
      }
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
