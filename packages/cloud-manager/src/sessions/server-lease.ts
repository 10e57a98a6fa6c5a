import { labels } from '@selvedge/api';
import { type ObjectRef, microTime } from '@selvedge/kube';
import type { Lease } from '@selvedge/kube/types';

/** How a tunnel server says that it is alive, and where it is reached. */
export interface ServerAddresses {
  /** Where agents connect: `host:port`. */
  readonly tunnel?: string | undefined;
  /** Where the other servers open streams through it: `host:port`. */
  readonly egress?: string | undefined;
}

const component = 'tunnel-server';
const annotations = { tunnel: 'selvedge.io/tunnel-address', egress: 'selvedge.io/egress-address' } as const;

/** The Leases of all servers. */
export const serverSelector = `${labels.component}=${component}`;

/** Of a server of that name. */
export const serverLeaseRef = (namespace: string, server: string): ObjectRef => ({
  namespace,
  name: `tunnel-server.${server}`,
});

export interface ServerLeaseOptions extends ServerAddresses {
  readonly namespace: string;
  readonly server: string;
  readonly durationSeconds: number;
}

/** A server's Lease at that time; `previous` keeps what others wrote. Pure. */
export function serverLease(options: ServerLeaseOptions, nowMs: number, previous?: Lease): Lease {
  const addresses = Object.entries(annotations).flatMap(([kind, key]) => {
    const address = options[kind as keyof typeof annotations];
    return address === undefined ? [] : [[key, address]];
  });
  return {
    metadata: {
      ...previous?.metadata,
      ...serverLeaseRef(options.namespace, options.server),
      labels: { ...previous?.metadata.labels, [labels.component]: component },
      annotations: { ...previous?.metadata.annotations, ...Object.fromEntries(addresses) },
    },
    spec: {
      holderIdentity: options.server,
      leaseDurationSeconds: options.durationSeconds,
      renewTime: microTime(nowMs),
    },
  };
}

/** Where the server of a Lease is reached. */
export function addressesOf({ metadata }: Lease): ServerAddresses {
  const { [annotations.tunnel]: tunnel, [annotations.egress]: egress } = metadata.annotations ?? {};
  return { tunnel, egress };
}
