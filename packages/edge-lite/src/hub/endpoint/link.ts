import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { type Link as Connection, linkTo } from '@selvedge/kit/serve';
import { certificatesOf } from '@selvedge/kit/x509';
import type { Caller } from '../request.ts';

/** What is known of a client's connection. */
export interface Link extends Connection {
  /** Verified: by TLS, or by us where nothing but the time speaks against it, which others judge. */
  readonly certificate: X509Certificate | undefined;
  /** The caller that the certificate turned out to be, and until when that holds, in milliseconds since the epoch. */
  known: { readonly caller: Caller; readonly untilMs: number } | undefined;
  /** The bearer token that was accepted last. */
  lastToken: string | undefined;
}

const clientAuth = '1.3.6.1.5.5.7.3.2';

/** OpenSSL's words for what depends on the clock: a machine without a battery starts in 1970, a cut may outlast a leaf. */
const untimely: ReadonlySet<unknown> = new Set(['CERT_NOT_YET_VALID', 'CERT_HAS_EXPIRED']);

/** By an authority that does not end before the leaf does, so that what has expired is the leaf. */
function isIssued(leaf: X509Certificate, clusterCa: string): boolean {
  // Absent, for what Node's type says, where the certificate does not limit its use.
  const uses: readonly string[] | undefined = leaf.keyUsage;
  if (leaf.ca || uses === undefined || !uses.includes(clientAuth)) return false;
  const outlasts = (ca: X509Certificate): boolean => ca.validToDate >= leaf.validToDate;
  return certificatesOf(clusterCa).some(
    (ca) => ca.ca && outlasts(ca) && leaf.checkIssued(ca) && leaf.verify(ca.publicKey),
  );
}

function verified(socket: TLSSocket, clusterCa: string): X509Certificate | undefined {
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined || socket.authorized) return leaf;
  // Node's own type says Error; on servers it is OpenSSL's code.
  const reason: unknown = socket.authorizationError;
  return untimely.has(reason) && isIssued(leaf, clusterCa) ? leaf : undefined;
}

export const linkOf = (socket: TLSSocket, clusterCa: string): Link => ({
  ...linkTo(socket),
  certificate: verified(socket, clusterCa),
  known: undefined,
  lastToken: undefined,
});
