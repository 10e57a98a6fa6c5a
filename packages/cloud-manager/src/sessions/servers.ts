import type { Clock, Service } from '@selvedge/kit';
import type { ObjectReader } from '@selvedge/kube';
import type { Lease } from '@selvedge/kube/types';
import { type ServerAddresses, addressesOf } from './server-lease.ts';

export interface ServersDeps {
  /** The Leases of tunnel servers. */
  readonly leases: ObjectReader<Lease>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** The tunnel servers that are alive. */
export interface Servers extends Service {
  readonly isAlive: (server: string) => boolean;
  /** Undefined if it is not alive. */
  addresses(server: string): ServerAddresses | undefined;
  /** Names of all that are alive. */
  readonly alive: readonly string[];
}

interface Seen {
  readonly lease: Lease;
  /** When it was last seen to change, on this machine's clock: the times inside it are of other clocks. */
  readonly atMs: number;
}

const nameOf = (lease: Lease): string => lease.spec?.holderIdentity ?? '';

/** A server lives as long as its Lease changes within its duration, seen from here; whoever deletes it says goodbye. */
export function createServers({ leases, clock }: ServersDeps): Servers {
  const seen = new Map<string, Seen>();
  let unsubscribe: (() => void) | undefined;
  const see = (lease: Lease): void => {
    seen.set(nameOf(lease), { lease, atMs: clock.monotonicMs() });
  };
  const alive = (server: string): Lease | undefined => {
    const known = seen.get(server);
    if (known === undefined) return undefined;
    const durationMs = (known.lease.spec?.leaseDurationSeconds ?? 0) * 1_000;
    return clock.monotonicMs() - known.atMs < durationMs ? known.lease : undefined;
  };
  return {
    name: 'servers',
    async start() {
      for (const lease of leases.values()) see(lease);
      unsubscribe = leases.subscribe((change) => {
        if (change.kind === 'deleted') seen.delete(nameOf(change.object));
        else see(change.object);
      });
    },
    async stop() {
      unsubscribe?.();
    },
    isAlive: (server) => alive(server) !== undefined,
    addresses(server) {
      const lease = alive(server);
      return lease === undefined ? undefined : addressesOf(lease);
    },
    get alive() {
      return Array.from(seen.keys()).filter((server) => alive(server) !== undefined);
    },
  };
}
