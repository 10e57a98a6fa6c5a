import type { KeyObject } from 'node:crypto';
import { der, pem, sequence, tag, unsigned } from './der.ts';
import { type Subject, distinguishedName } from './name.ts';
import { publicKeyOf, signed } from './sign.ts';

/** A PKCS #10 request (RFC 2986) for an EC key, ECDSA with SHA-256, without attributes; PEM. */
export function createCsr(subject: Subject, key: KeyObject): string {
  const version = unsigned(Uint8Array.of(0));
  const info = sequence(version, distinguishedName(subject), publicKeyOf(key), der(tag.context0));
  return pem('CERTIFICATE REQUEST', signed(info, key));
}
