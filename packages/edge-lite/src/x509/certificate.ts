import { type KeyObject, createHash, randomBytes } from 'node:crypto';
import { der, pem, sequence, tag, time, unsigned } from './der.ts';
import { authorityExtensions, serverExtensions } from './extensions.ts';
import { type Subject, distinguishedName } from './name.ts';
import { publicKeyOf, signatureAlgorithm, signed } from './sign.ts';

/** Milliseconds since the epoch, in whole seconds. */
export interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface Issuer {
  readonly subject: Subject;
  readonly key: KeyObject;
}

interface Content {
  readonly subject: Subject;
  readonly key: KeyObject;
  readonly validity: Validity;
  readonly extensions: readonly Buffer[];
}

const version3 = der(tag.context0, unsigned(Uint8Array.of(2)));

/** Names a key. Source: RFC 7093 section 2, method 1 over the whole SubjectPublicKeyInfo. */
const keyIdOf = (key: KeyObject): Buffer =>
  createHash('sha256').update(publicKeyOf(key)).digest().subarray(0, 20);

/** X.509 version 3, PEM. Source: RFC 5280 section 4.1. */
function issue(content: Content, issuer: Issuer): string {
  const { notBeforeMs, notAfterMs } = content.validity;
  const toBeSigned = sequence(
    version3,
    unsigned(Buffer.concat([Uint8Array.of(1), randomBytes(15)])),
    signatureAlgorithm,
    distinguishedName(issuer.subject),
    sequence(time(notBeforeMs), time(notAfterMs)),
    distinguishedName(content.subject),
    publicKeyOf(content.key),
    der(tag.context3, sequence(...content.extensions)),
  );
  return pem('CERTIFICATE', signed(toBeSigned, issuer.key));
}

/** A certificate authority's own certificate, for an EC key. */
export function createAuthorityCertificate(authority: Issuer, validity: Validity): string {
  return issue(
    { ...authority, validity, extensions: authorityExtensions(keyIdOf(authority.key)) },
    authority,
  );
}

export interface ServerCertificateOptions {
  readonly subject: Subject;
  /** The server's EC key. */
  readonly key: KeyObject;
  readonly validity: Validity;
  /** DNS names and IP addresses. */
  readonly names: readonly string[];
}

export function createServerCertificate(options: ServerCertificateOptions, issuer: Issuer): string {
  const extensions = serverExtensions(options.names, keyIdOf(issuer.key));
  return issue({ ...options, extensions }, issuer);
}
