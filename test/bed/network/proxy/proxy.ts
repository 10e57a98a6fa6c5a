import { once } from 'node:events';
import { type Server, type Socket, connect, createServer } from 'node:net';
import {
  type Clock,
  type Logger,
  type Random,
  type Service,
  createTaskGroup,
  isAbort,
  raceAbort,
  scoped,
} from '@selvedge/kit';
import { delayLine } from './delay-line.ts';
import type { ProxyFaults, ProxyOptions } from './options.ts';

export interface ProxyDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** A TCP proxy that delays and resets. */
export interface FaultProxy extends Service {
  /** Holds for the connections that are open, too; their resets stay as they were drawn. */
  update(faults: ProxyFaults): void;
  /** The ports that it listens on, in the order of the options. */
  readonly ports: readonly number[];
}

/** A time to live with this mean, exponentially distributed: a reset is as likely at any moment. */
function lifetimeMs(meanMs: number, random: Random): number {
  return -Math.log(1 - random()) * meanMs;
}

export function createFaultProxy(options: ProxyOptions, deps: ProxyDeps): FaultProxy {
  const { clock, random, log } = deps;
  const servers: Server[] = [];
  let { faults } = options;
  const onFailure = (error: unknown): void => {
    log.debug('connection ended', { error });
  };
  const connections = createTaskGroup({ name: 'connections' }, { onFailure });
  const carry = async (client: Socket, port: number, signal: AbortSignal): Promise<void> => {
    const cloud = connect({ host: options.target, port, allowHalfOpen: true, noDelay: true });
    using scope = scoped(signal);
    const both = [client, cloud];
    const broken = new Promise<never>((_, reject) => {
      for (const socket of both) socket.on('error', reject);
    });
    const copies = async (): Promise<void> => {
      await once(cloud, 'connect', { signal: scope.signal });
      const line = { clock, random, faults: () => faults };
      const up = delayLine({ from: client, to: cloud }, line, scope.signal);
      const down = delayLine({ from: cloud, to: client }, line, scope.signal);
      await Promise.all([up, down]);
    };
    const doom = async (): Promise<never> => {
      if (faults.resetEveryMs === 0) return new Promise<never>(() => undefined);
      await clock.sleep(lifetimeMs(faults.resetEveryMs, random), scope.signal);
      throw new Error('its time had come');
    };
    try {
      await raceAbort(Promise.race([copies(), broken, doom()]), scope.signal);
    } finally {
      scope.abort();
      for (const socket of both) socket.resetAndDestroy();
    }
  };
  const listen = async (port: number, target: number): Promise<void> => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      client.on('error', (error) => {
        if (!isAbort(error)) log.debug('client failed', { error });
      });
      connections.run(`port ${target}`, (signal) => carry(client, target, signal));
    });
    servers.push(server);
    server.listen(port);
    await once(server, 'listening');
  };
  return {
    name: 'fault proxy',
    get ports() {
      return servers.map((server) => {
        const address = server.address();
        return typeof address === 'object' && address !== null ? address.port : 0;
      });
    },
    update(next) {
      faults = next;
      log.info('faults changed', { ...next });
    },
    async start() {
      for (const port of options.ports) await listen(port.listen, port.target);
    },
    async stop() {
      const closed = servers.map((server) => once(server, 'close'));
      for (const server of servers) server.close();
      await connections.stop();
      await Promise.all(closed);
    },
  };
}
