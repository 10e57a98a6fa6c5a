import { X509Certificate } from 'node:crypto';
import { type HostPort, plainHost } from '@selvedge/kit/net';
import type { KeyPair } from '@selvedge/kit/x509';
import type { KubeObject } from '@selvedge/kube';
import type { Secret } from '@selvedge/kube/types';
import { isMarkedAsMade, managerHost, ownObject } from '../objects/metadata.ts';
import type { CertificateSeen, ShownCertificate } from '../types.ts';

const dayMs = 86_400_000;

export const tlsSecret = 'cloud-manager-tls';
export const authoritySecret = 'cloud-manager-tls-authority';

const encode = (text: string): string => Buffer.from(text).toString('base64');
const decode = (text: string | undefined): string => Buffer.from(text ?? '', 'base64').toString('latin1');

/** What the certificate has to be for: what agents are told, and what servers call each other. */
export const wantedNames = (tunnelServers: readonly HostPort[]): readonly string[] => [
  ...new Set([...tunnelServers.map(({ host }) => plainHost(host)), managerHost]),
];

export const pairSecret = (name: string, { certificate, key }: KeyPair, ca: string): KubeObject =>
  ownObject({
    apiVersion: 'v1',
    kind: 'Secret',
    name,
    fields: {
      type: 'kubernetes.io/tls',
      data: { 'tls.crt': encode(certificate), 'tls.key': encode(key), 'ca.crt': encode(ca) },
    },
  });

/** The pair in a Secret of the type kubernetes.io/tls; undefined if there is none. */
export function pairIn(secret: Secret | undefined): (KeyPair & { readonly ca: string }) | undefined {
  const [certificate, key] = [decode(secret?.data?.['tls.crt']), decode(secret?.data?.['tls.key'])];
  if (certificate === '' || key === '') return undefined;
  return { certificate, key, ca: decode(secret?.data?.['ca.crt']) };
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

const alternatives = (text: string): readonly string[] =>
  text.split(', ').map((one) => plainHost(one.replace(/^(DNS|IP Address):/, '')));

/** What the certificate in a Secret is; undefined if nobody can read it. */
export function certificateIn(secret: Secret | undefined): CertificateSeen | undefined {
  const pair = pairIn(secret);
  const certificate = attempt(() => new X509Certificate(pair?.certificate ?? ''));
  if (pair === undefined || certificate === undefined) return undefined;
  return {
    pem: pair.certificate,
    isOurs: secret !== undefined && isMarkedAsMade(secret),
    names: alternatives(certificate.subjectAltName ?? ''),
    notBefore: certificate.validFromDate.getTime(),
    notAfter: certificate.validToDate.getTime(),
    ca: pair.ca,
  };
}

/** Pure. */
export const shownOf = ({ names, notAfter }: CertificateSeen): ShownCertificate => ({
  names,
  notAfter: new Date(notAfter).toISOString(),
});

/** Why another certificate is needed; undefined: it is not. Pure. */
export function whyRenew(
  certificate: CertificateSeen | undefined,
  { names, now }: { readonly names: readonly string[]; readonly now: number },
): string | undefined {
  if (certificate === undefined) return 'there is none yet';
  const missing = names.filter((name) => !certificate.names.includes(name));
  if (missing.length > 0) return `the current one does not cover ${missing.join(', ')}`;
  const { notBefore, notAfter } = certificate;
  const left = notAfter - now;
  return left < (notAfter - notBefore) / 3
    ? `the current one expires in ${Math.floor(left / dayMs)} days`
    : undefined;
}
