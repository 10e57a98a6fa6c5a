import {
  type KeyPair,
  createCsr,
  keyPem,
  newAuthority,
  newCertificate,
  newKey,
  validFrom,
} from '@selvedge/kit/x509';

const dayMs = 86_400_000;
/** A year, renewed by any `selvedge convert` in its last third. */
export const servingDays = 365;
/** As long as nodes trust it without being told anew. */
const authorityDays = 3_650;

const subject = { commonName: 'cloud-manager' };

/** An authority for tunnel servers. */
export const newTunnelAuthority = (now: number): KeyPair =>
  newAuthority({ name: 'selvedge-tunnel-ca', validity: validFrom(now, authorityDays * dayMs) });

export interface TunnelCertificateOptions {
  /** DNS names and IP addresses. */
  readonly names: readonly string[];
  readonly now: number;
}

/** What a tunnel server shows to agents, and to other servers when it calls them. */
export function newTunnelCertificate({ names, now }: TunnelCertificateOptions, authority: KeyPair): KeyPair {
  const validity = validFrom(now, servingDays * dayMs);
  return newCertificate({ subject, names, usages: ['server', 'client'], validity }, authority);
}

/** A request for somebody else to sign, and the key that it is of. PEM. */
export function newTunnelRequest(): { readonly request: string; readonly key: string } {
  const key = newKey();
  return { request: createCsr(subject, key), key: keyPem(key) };
}
