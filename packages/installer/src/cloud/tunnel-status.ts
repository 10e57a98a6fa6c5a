import { X509Certificate } from 'node:crypto';
import { managerNamespace } from '@selvedge/api';
import { certificatesOf } from '@selvedge/kit/x509';
import { resources } from '@selvedge/kube';
import { type Reading, type Right, type Unread, askFor, notAllowed, seenOr } from '../reading/index.ts';
import { certificateIn, shownOf } from './certificates/secret.ts';
import { caBeyond, clusterCaAt, clusterCaIn, publishedCa } from './tunnel.ts';
import type { CertificateSeen, Deployed, TunnelServers, TunnelStatus } from './types.ts';

/** Why nobody knows who signed the certificate of the tunnel; `missing`: for want of these. */
export interface UnknownSigner {
  readonly kind: 'unknown';
  readonly why: string;
  readonly missing?: readonly Unread[] | undefined;
}

/** The certificate, or why nobody knows it. */
export type CertificateFound =
  | { readonly kind: 'certificate'; readonly certificate: CertificateSeen }
  | UnknownSigner;

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

export async function certificateInSecret(name: string, reading: Reading): Promise<CertificateFound> {
  const secret = await reading.get(resources.secrets, { namespace: managerNamespace, name });
  if (secret.kind === 'unread') return unreadSigner([secret]);
  const what = `the Secret ${managerNamespace}/${name}, of the certificate of the tunnel,`;
  if (secret.kind === 'absent') return { kind: 'unknown', why: `${what} does not exist` };
  const certificate = certificateIn(secret.value);
  return certificate === undefined
    ? { kind: 'unknown', why: `${what} has no tls.crt and tls.key that can be read` }
    : { kind: 'certificate', certificate };
}

/** Whether one of these authorities signed it itself. */
function isSignedBy(authorities: string, { pem }: CertificateSeen): boolean {
  const leaf = new X509Certificate(pem);
  return certificatesOf(authorities).some((one) => leaf.checkIssued(one) && leaf.verify(one.publicKey));
}

async function signerOf(
  certificate: CertificateSeen,
  servers: TunnelServers,
  reading: Reading,
): Promise<TunnelStatus> {
  const root = await reading.get(resources.configMaps, clusterCaAt);
  const clusterCa = clusterCaIn(seenOr(root, {}));
  // Where it is not known whether the cluster's CA is meant, the one that is named is no less right.
  if (certificate.ca !== '') return { kind: 'known', ...servers, ca: caBeyond(clusterCa, certificate) };
  if (root.kind === 'unread') return publishedOr(unreadSigner([root]), servers, reading);
  if (isSignedBy(clusterCa, certificate)) return { kind: 'known', ...servers, ca: undefined };
  const why = 'the Secret of its certificate has no ca.crt, and the cluster CA did not sign it';
  return publishedOr({ kind: 'unknown', why }, servers, reading);
}

/** Whom nodes have to trust where they connect to these servers. */
export async function tunnelBy(
  found: CertificateFound,
  servers: TunnelServers,
  reading: Reading,
): Promise<Pick<Deployed, 'tunnel' | 'certificate'>> {
  if (found.kind === 'unknown') return { tunnel: await publishedOr(found, servers, reading) };
  const { certificate } = found;
  return { tunnel: await signerOf(certificate, servers, reading), certificate: shownOf(certificate) };
}
