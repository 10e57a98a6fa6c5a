import type { KeyObject } from 'node:crypto';
import { der, identifier, sequence, tags, unsigned } from './der.ts';
import { alternativeNames } from './extensions.ts';
import { publicKeyOf, signed } from './key.ts';
import { type Subject, distinguishedName } from './name.ts';
import { pem } from './pem.ts';

/** Asks for extensions of the certificate. Source: RFC 2985 section 5.4.2. */
const extensionRequest = identifier('1.2.840.113549.1.9.14');

const attributesFor = (names: readonly string[]): readonly Buffer[] =>
  names.length === 0 ? [] : [sequence(extensionRequest, der(tags.set, sequence(alternativeNames(names))))];

/**
 * A PKCS #10 request (RFC 2986) for an EC key, ECDSA with SHA-256; PEM. `names` are the DNS names and IP addresses under
 * which the certificate's owner serves.
 */
export function createCsr(subject: Subject, key: KeyObject, names: readonly string[] = []): string {
  const version = unsigned(Uint8Array.of(0));
  const attributes = der(tags.context0, ...attributesFor(names));
  const info = sequence(version, distinguishedName(subject), publicKeyOf(key), attributes);
  return pem('CERTIFICATE REQUEST', signed(info, key));
}
