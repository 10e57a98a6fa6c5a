import type { EdgeNodeObject } from '../edge-nodes/index.ts';
import type { ServerAddresses } from './server-lease.ts';
import type { Servers } from './servers.ts';

/** A server with a session through which a node is reached. */
export interface Holder extends ServerAddresses {
  readonly server: string;
}

/** Servers that are alive and have a session that takes streams to the node, the newest session first. Pure. */
export function holdersOf(
  edgeNode: EdgeNodeObject | undefined,
  servers: Pick<Servers, 'addresses'>,
): readonly Holder[] {
  const usable = (edgeNode?.status?.sessions ?? [])
    .filter(({ direction, state }) => direction === 'reverse' && state !== 'draining')
    .toSorted((a, b) => Date.parse(b.since) - Date.parse(a.since));
  return [...new Set(usable.map(({ server }) => server))].flatMap((server) => {
    const addresses = servers.addresses(server);
    return addresses === undefined ? [] : [{ server, ...addresses }];
  });
}
