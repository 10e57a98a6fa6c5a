import { type X509Certificate, createHash } from 'node:crypto';
import { certificatesOf } from '@selvedge/kit/x509';

/** `sha256:` and the hash of the public key (SubjectPublicKeyInfo), as `kubeadm` prints it. */
export function pinOf(certificate: X509Certificate): string {
  const key = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}

/** Those certificates of the bundle whose key is the pinned one, as PEM; others are not trusted. */
export function pinned(pem: string, pin: string): string {
  const trusted = certificatesOf(pem).filter((certificate) => pinOf(certificate) === pin);
  return trusted.map((certificate) => certificate.toString()).join('');
}
