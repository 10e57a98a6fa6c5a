import type { Socket } from 'node:net';
import type { ConnectionLimits } from './limits.ts';
import { type IsLocal, isLoopback, sourceOf } from './source.ts';

/** Why a connection is not taken. */
export type Refusal = 'total' | 'source';

/** The open connections, counted by where they come from. */
export interface Connections {
  readonly size: number;
  /** Takes the connection until it closes, or says why not. */
  admit(socket: Socket, address: string): Refusal | undefined;
  /** Breaks all of them. */
  destroyAll(): void;
}

/** `isLocal` says which addresses count as loopback ones. Default: those alone. */
export function createConnections(caps: ConnectionLimits, isLocal: IsLocal = isLoopback): Connections {
  const open = new Set<Socket>();
  const bySource = new Map<string, number>();
  const others = caps.maxConnections - caps.maxConnectionsFromLoopback;
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
      const source = sourceOf(address, isLocal);
      const held = bySource.get(source) ?? 0;
      if (source === 'loopback') {
        if (held >= caps.maxConnectionsFromLoopback) return 'source';
      } else {
        if (held >= caps.maxConnectionsPerSource) return 'source';
        if (open.size - (bySource.get('loopback') ?? 0) >= others) return 'total';
      }
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
