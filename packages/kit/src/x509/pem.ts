import { X509Certificate } from 'node:crypto';

/** One block of RFC 7468. */
export function pem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates in a text, each as PEM of its own. What stands around them is left out, and one that is cut off. */
export const certificateBlocks = (text: string): readonly string[] =>
  Array.from(text.matchAll(certificate), ([block]) => `${block}\n`);

/** The certificates in a text, as `certificateBlocks`. Throws what node:crypto throws on a block that is no certificate. */
export const certificatesOf = (text: string): readonly X509Certificate[] =>
  certificateBlocks(text).map((block) => new X509Certificate(block));
