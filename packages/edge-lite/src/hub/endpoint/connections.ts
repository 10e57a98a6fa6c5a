import type { Socket } from 'node:net';
import type { EndpointLimits } from './limits.ts';

/** Why a connection is not taken. */
export type Refusal = 'total' | 'source';

/** The open connections, counted by where they come from. */
export interface Connections {
  readonly size: number;
  /** Takes the connection until it closes, or says why not. */
  admit(socket: Socket, source: string): Refusal | undefined;
  /** Breaks all of them. */
  destroyAll(): void;
}

type Caps = Pick<EndpointLimits, 'maxConnections' | 'maxConnectionsPerSource' | 'maxConnectionsFromLoopback'>;

const loopback = /^(127\.|::1$)/;

export function createConnections(caps: Caps): Connections {
  const open = new Set<Socket>();
  const bySource = new Map<string, number>();
  const release = (socket: Socket, source: string): void => {
    open.delete(socket);
    const left = (bySource.get(source) ?? 1) - 1;
    if (left === 0) bySource.delete(source);
    else bySource.set(source, left);
  };
  return {
    get size() {
      return open.size;
    },
    admit(socket, address) {
      const isLoopback = loopback.test(address);
      const source = isLoopback ? 'loopback' : address;
      const held = bySource.get(source) ?? 0;
      const cap = isLoopback ? caps.maxConnectionsFromLoopback : caps.maxConnectionsPerSource;
      if (held >= cap) return 'source';
      if (open.size >= caps.maxConnections) return 'total';
      open.add(socket);
      bySource.set(source, held + 1);
      socket.once('close', () => release(socket, source));
      return undefined;
    },
    destroyAll() {
      for (const socket of open) socket.destroy();
    },
  };
}
