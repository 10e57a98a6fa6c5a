import type { Socket } from 'node:net';
import { SelvedgeError } from '../index.ts';
import type { ConnectionLimits } from './limits.ts';
import { createPlaces } from './places.ts';
import { isLoopback } from '../net/ip-ranges.ts';
import { type IsLocal, sourceOf } from './source.ts';

/** Why a connection is not taken. */
export type ConnectionRefusal = 'total' | 'source';

/** The open connections, counted by where they come from. */
export interface Connections {
  readonly size: number;
  /** Takes the connection until it closes, or says why not. */
  admit(socket: Socket, address: string): ConnectionRefusal | undefined;
  /** Breaks all of them. */
  destroyAll(): void;
}

const refusalOf = (error: SelvedgeError): ConnectionRefusal =>
  error.details['full'] === 'total' ? 'total' : 'source';

/** `isLocal` says which addresses count as loopback ones. Default: those alone. */
export function createConnections(caps: ConnectionLimits, isLocal: IsLocal = isLoopback): Connections {
  const open = new Set<Socket>();
  const what = 'connections';
  const others = {
    total: caps.maxConnections - caps.maxConnectionsFromLoopback,
    perClient: caps.maxConnectionsPerSource,
  };
  const places = {
    loopback: createPlaces({ what, perClient: caps.maxConnectionsFromLoopback }),
    others: createPlaces({ what, ...others }),
  };
  return {
    get size() {
      return open.size;
    },
    admit(socket, address) {
      const source = sourceOf(address, isLocal);
      try {
        const place = (source === 'loopback' ? places.loopback : places.others).take(source);
        open.add(socket);
        socket.once('close', () => {
          open.delete(socket);
          place[Symbol.dispose]();
        });
        return undefined;
      } catch (error) {
        if (error instanceof SelvedgeError) return refusalOf(error);
        throw error;
      }
    },
    destroyAll() {
      for (const socket of open) socket.destroy();
    },
  };
}
