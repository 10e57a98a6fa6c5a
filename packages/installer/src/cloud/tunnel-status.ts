import { managerNamespace } from '@selvedge/api';
import { resources } from '@selvedge/kube';
import { type Reading, type Right, type Unread, askFor, notAllowed } from '../reading/index.ts';
import { publishedCa } from './tunnel.ts';
import type { TunnelServers, TunnelStatus } from './types.ts';

/** Why nobody knows who signed the certificate of the tunnel; `missing`: for want of these. */
export interface UnknownSigner {
  readonly kind: 'unknown';
  readonly why: string;
  readonly missing?: readonly Unread[] | undefined;
}

const rightsOf = (unread: readonly Unread[]): readonly Right[] => unread.map(({ right }) => right);

/** As it is without these. */
export const unreadSigner = (missing: readonly Unread[]): UnknownSigner => ({
  kind: 'unknown',
  why: notAllowed(rightsOf(missing)),
  missing: missing.map(({ right, why }) => ({ right, why })),
});

const publishing = `publish who signed the certificate of the tunnel yourself: kubectl -n ${managerNamespace} create configmap ${publishedCa.at.name} --from-file=${publishedCa.key}`;

function withHint({ kind, why, missing }: UnknownSigner, servers: TunnelServers): TunnelStatus {
  const remedy = missing === undefined ? 'mend that' : askFor(rightsOf(missing));
  return { kind, why, ...(missing && { missing }), hint: `${remedy}; or ${publishing}`, ...servers };
}

/** Where the certificate does not tell, a person, or an earlier command, may have. */
export async function publishedOr(
  unknown: UnknownSigner,
  servers: TunnelServers,
  reading: Reading,
): Promise<TunnelStatus> {
  const published = await reading.get(resources.configMaps, publishedCa.at);
  if (published.kind === 'unread') {
    const { right, why: said } = published;
    const why = `${unknown.why}, and ${notAllowed([right])}`;
    const missing = unknown.missing && [...unknown.missing, { right, why: said }];
    return withHint({ kind: 'unknown', why, missing }, servers);
  }
  const ca = published.kind === 'seen' ? published.value.data?.[publishedCa.key] : undefined;
  return ca === undefined ? withHint(unknown, servers) : { kind: 'known', ...servers, ca };
}
