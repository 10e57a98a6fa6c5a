import { X509Certificate } from 'node:crypto';

const block = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** The certificates of a PEM bundle. Throws what node:crypto throws on a block that is no certificate. */
export function certificatesOf(pem: string): readonly X509Certificate[] {
  return Array.from(pem.matchAll(block), ([text]) => new X509Certificate(text));
}
