import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { SelvedgeError, raceAbort, systemCode } from '../index.ts';

/** Sockets are told where they came in. */
export type Accepted = (socket: Socket, at: string) => void;

export interface Listeners {
  /** The addresses and the one port that all of them have. */
  readonly addresses: readonly string[];
  readonly port: number;
  close(): Promise<void>;
}

/** Addresses, all on the same port. */
export interface Where {
  readonly addresses: readonly string[];
  /** Those of `addresses` that the machine may lack. Default: none. */
  readonly optional?: ReadonlySet<string>;
  /** 0: any free one. */
  readonly port: number;
  /** What a person does when the port is taken. */
  readonly hint: string;
}

const keepAliveMs = 30_000;

async function listen(
  host: string,
  port: number,
  {
    accepted,
    hint,
    signal,
  }: { readonly accepted: Accepted; readonly hint: string; readonly signal: AbortSignal },
): Promise<Server> {
  const server = createServer(
    { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs },
    (socket) => {
      socket.on('error', () => undefined);
      accepted(socket, host);
    },
  );
  const listening = once(server, 'listening');
  server.listen({ host, port, ipv6Only: true });
  try {
    await raceAbort(listening, signal);
    return server;
  } catch (cause) {
    server.close();
    signal.throwIfAborted();
    throw new SelvedgeError(`cannot listen on ${host} port ${port}`, {
      code: 'Unavailable',
      cause,
      hint,
    });
  }
}

/** A machine without IPv6 has no `::1`. */
const isMissing = (error: unknown): boolean =>
  error instanceof Error && ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(systemCode(error.cause) ?? '');

/** Listens on all of the addresses, `optional` ones only where the machine has them. Rejects with `Unavailable`. */
export async function openListeners(
  where: Where,
  accepted: Accepted,
  signal: AbortSignal,
): Promise<Listeners> {
  const servers: Server[] = [];
  const close = async (): Promise<void> => {
    const open = servers.splice(0).map((server) => {
      const closed = once(server, 'close');
      server.close();
      return closed;
    });
    await Promise.all(open);
  };
  let { port } = where;
  const addresses: string[] = [];
  try {
    for (const host of where.addresses) {
      const server = await listen(host, port, { accepted, hint: where.hint, signal }).catch(
        (error: unknown) => {
          if (where.optional?.has(host) === true && isMissing(error)) return undefined;
          throw error;
        },
      );
      if (server === undefined) continue;
      servers.push(server);
      addresses.push(host);
      ({ port } = server.address() as AddressInfo);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { addresses, port, close };
}

/** As in Go, the wildcard of either family is that of both. */
export function anyFamily(host: string): Pick<Where, 'addresses' | 'optional'> {
  if (host === '0.0.0.0') return { addresses: [host, '::'], optional: new Set(['::']) };
  return host === '::' ? { addresses: [host, '0.0.0.0'], optional: new Set([host]) } : { addresses: [host] };
}
