import { X509Certificate, createHash } from 'node:crypto';

const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

export const certificatesIn = (pem: string): readonly X509Certificate[] =>
  Array.from(pem.matchAll(certificate), ([text]) => new X509Certificate(text));

/** `sha256:` and the hash of the public key (SubjectPublicKeyInfo), as `kubeadm` prints it. */
export function pinOf({ publicKey }: X509Certificate): string {
  const key = publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}

/**
 * The pin of the authority that a cluster says it has. Where it says several, the one that is trusted here already; they
 * are several while an authority is replaced.
 */
export function pinOfAuthority(shown: string, trusted: string | undefined): string | undefined {
  const pins = certificatesIn(shown).map(pinOf);
  const known = new Set(certificatesIn(trusted ?? '').map(pinOf));
  return pins.find((pin) => known.has(pin)) ?? pins[0];
}
