import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { BoundedMap, type Clock, type Logger, type MetricsRegistry, scoped } from '@selvedge/kit';
import { join } from '@selvedge/kit/serve';

/** A pod that does not know the hub's authority yet: its connections go to the API server byte for byte. */
export interface Relayed {
  readonly address: string;
  /** Open now. */
  readonly connections: number;
  /** Of the first one, in milliseconds since the epoch. */
  readonly sinceMs: number;
}

export interface Relay {
  /** The addresses that were relayed since the start, at most 512. */
  readonly relayed: readonly Relayed[];
  /** Resolves when the connection has ended; never rejects. */
  run(socket: Socket, address: string, stopped: AbortSignal): Promise<void>;
}

export interface RelayDeps {
  readonly dial: (signal: AbortSignal) => Promise<Duplex>;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

const maxAddresses = 512;

export function createRelay({ dial, clock, log, metrics }: RelayDeps): Relay {
  const seen = new BoundedMap<string, Relayed>({ capacity: maxAddresses });
  const outcomes = metrics.counter({
    name: 'selvedge_hub_relayed_connections_total',
    help: 'Connections of pods that do not know the authority of the hub yet, by outcome.',
  });
  const count = (address: string, by: number): void => {
    const { connections, sinceMs } = seen.get(address) ?? { connections: 0, sinceMs: clock.now() };
    seen.set(address, { address, connections: connections + by, sinceMs });
  };
  return {
    get relayed() {
      return Array.from(seen.values());
    },
    async run(socket, address, stopped) {
      using scope = scoped(stopped);
      socket.once('close', () => scope.abort());
      count(address, 1);
      try {
        const upstream = await dial(scope.signal);
        upstream.on('error', () => undefined);
        outcomes.add({ outcome: 'relayed' });
        await join(socket, upstream, scope.signal);
      } catch (error) {
        if (!socket.destroyed) outcomes.add({ outcome: 'failed' });
        log.debug('relayed connection ended', { address, error });
        socket.resetAndDestroy();
      } finally {
        count(address, -1);
      }
    },
  };
}
