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

/** Twice the time in which a server renews its Lease: whoever hears of none for so long hears nothing, ours included. */
const deafMs = 20_000;

const nameOf = (lease: Lease): string => lease.spec?.holderIdentity ?? '';

/**
 * A server lives as long as its Lease changes within its duration, seen from here; whoever deletes it says goodbye. Silence
 * counts as far as others, ourselves among them, were heard meanwhile: when the API server is away all Leases are silent, and
 * afterwards each server has its whole duration to be heard again.
 */
export function createServers({ leases, clock }: ServersDeps): Servers {
  const seen = new Map<string, Seen>();
  /** When any Lease was last seen to change, and since when that goes on without a long pause. */
  const heard = { sinceMs: -Infinity, atMs: -Infinity };
  let unsubscribe: (() => void) | undefined;
  const hear = (): number => {
    const now = clock.monotonicMs();
    if (now - heard.atMs > deafMs) heard.sinceMs = now;
    heard.atMs = now;
    return now;
  };
  const see = (lease: Lease): void => {
    seen.set(nameOf(lease), { lease, atMs: hear() });
  };
  const alive = (server: string): Lease | undefined => {
    const known = seen.get(server);
    if (known === undefined) return undefined;
    const durationMs = (known.lease.spec?.leaseDurationSeconds ?? 0) * 1_000;
    const silentMs = heard.atMs - Math.max(known.atMs, heard.sinceMs);
    return silentMs < durationMs ? known.lease : undefined;
  };
  return {
    name: 'servers',
    async start() {
      for (const lease of leases.values()) see(lease);
      unsubscribe = leases.subscribe((change) => {
        see(change.object);
        if (change.kind === 'deleted') seen.delete(nameOf(change.object));
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
