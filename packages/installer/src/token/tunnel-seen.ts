import { SelvedgeError } from '@selvedge/kit';
import type { CloudStatus, TunnelStatus } from '../cloud/index.ts';

/** What is known of the tunnel. `none`: there is no cloud-manager in the cluster; it may run beside API servers. */
export type TunnelSeen = { readonly kind: 'none' } | TunnelStatus;

/** Pure. */
export const tunnelSeen = (cloud: CloudStatus): TunnelSeen => (cloud.kind === 'none' ? cloud : cloud.tunnel);

/** What machines are told of it. */
export interface TunnelTold {
  readonly servers: readonly string[];
  /** PEM that tells who signed its certificate, where machines read it. */
  readonly published: string | undefined;
}

/** What a person should know of it. Pure. */
export function tunnelWarnings(tunnel: TunnelSeen, { servers, published }: TunnelTold): readonly string[] {
  const hasServers = servers.length > 0;
  if (tunnel.kind !== 'none' && !hasServers) {
    const why = tunnel.serversUnknown ?? 'nothing tells where nodes connect';
    return [`${why}, so nodes that join get no tunnel: add --tunnel-server HOST:PORT`];
  }
  if (tunnel.kind !== 'none' || !hasServers || published !== undefined) return [];
  return [
    `nothing in this cluster tells who signed the certificate of ${servers.join(', ')}, so machines will trust the cluster CA; if that is wrong, see docs/operations/cloud-manager.md, "The CA of the tunnel certificate"`,
  ];
}

/** Machines that do not know whom to trust have no tunnel. Throws `Conflict` with `findings`. */
export function refuseUnknown(tunnel: TunnelSeen, { servers }: Pick<TunnelTold, 'servers'>): void {
  if (tunnel.kind !== 'unknown' || servers.length === 0) return;
  const { why, hint } = tunnel;
  throw new SelvedgeError(`cannot tell machines whom to trust at the tunnel: ${why}`, {
    code: 'Conflict',
    hint,
    details: { findings: [why] },
  });
}
