import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { certificatesOf } from '../../x509/index.ts';
import type { Caller } from '../request.ts';

/** What is known of a client's connection. */
export interface Link {
  readonly remoteAddress: string;
  /** Verified: by TLS, or by us where only a clock that is behind speaks against it. */
  readonly certificate: X509Certificate | undefined;
  /** The caller that the certificate turned out to be, and until when that holds, in milliseconds since the epoch. */
  known: { readonly caller: Caller; readonly untilMs: number } | undefined;
}

const clientAuth = '1.3.6.1.5.5.7.3.2';

/**
 * A machine without a battery starts in 1970: to it every certificate is of the future. What the cluster's CA has signed
 * was issued, so the clock is wrong and not the certificate.
 */
function isIssued(leaf: X509Certificate, clusterCa: string): boolean {
  // Absent, for what Node's type says, where the certificate does not limit its use.
  const uses: readonly string[] | undefined = leaf.keyUsage;
  if (leaf.ca || uses === undefined || !uses.includes(clientAuth)) return false;
  return certificatesOf(clusterCa).some((ca) => ca.ca && leaf.checkIssued(ca) && leaf.verify(ca.publicKey));
}

function verified(socket: TLSSocket, clusterCa: string): X509Certificate | undefined {
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined || socket.authorized) return leaf;
  // Node's own type says Error; on servers it is OpenSSL's code.
  const reason: unknown = socket.authorizationError;
  return reason === 'CERT_NOT_YET_VALID' && isIssued(leaf, clusterCa) ? leaf : undefined;
}

export const linkOf = (socket: TLSSocket, clusterCa: string): Link => ({
  remoteAddress: socket.remoteAddress ?? '',
  certificate: verified(socket, clusterCa),
  known: undefined,
});
