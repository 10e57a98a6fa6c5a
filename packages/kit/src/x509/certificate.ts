import { type KeyObject, createPrivateKey, randomBytes } from 'node:crypto';
import { der, sequence, tags, time, unsigned } from './der.ts';
import { type CertificateUsage, authorityExtensions, leafExtensions } from './extensions.ts';
import { issuerNames } from './issuer.ts';
import { keyIdOf, keyPem, newKey, publicKeyOf, signatureAlgorithm, signed } from './key.ts';
import { type Subject, distinguishedName } from './name.ts';
import { pem } from './pem.ts';

/** A certificate and its key (EC P-256, PKCS #8), PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** When a certificate holds, in milliseconds since the Unix epoch; parts of a second are cut off. */
export interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

const backdateMs = 3_600_000;

/** From now on, for so long, and for those whose clocks are up to an hour behind. */
export const validFrom = (nowMs: number, lifeMs: number): Validity => ({
  notBeforeMs: nowMs - backdateMs,
  notAfterMs: nowMs + lifeMs,
});

/** In hexadecimal: 120 bits that nobody guesses, positive, always of one length. Source: RFC 5280 section 4.1.2.2. */
export const newSerialNumber = (): string => `01${randomBytes(15).toString('hex')}`;

interface Content {
  /** DER of distinguished names. */
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly key: KeyObject;
  readonly validity: Validity;
  readonly extensions: readonly Buffer[];
}

const version3 = der(tags.context0, unsigned(Uint8Array.of(2)));

/** X.509 version 3, ECDSA with SHA-256. Source: RFC 5280 section 4.1. */
function issue({ issuer, subject, key, validity, extensions }: Content, signer: KeyObject): KeyPair {
  const { notBeforeMs, notAfterMs } = validity;
  const toBeSigned = sequence(
    version3,
    unsigned(Buffer.from(newSerialNumber(), 'hex')),
    signatureAlgorithm,
    issuer,
    sequence(time(notBeforeMs), time(notAfterMs)),
    subject,
    publicKeyOf(key),
    der(tags.context3, sequence(...extensions)),
  );
  return { certificate: pem('CERTIFICATE', signed(toBeSigned, signer)), key: keyPem(key) };
}

export interface AuthorityOptions {
  /** What it is of: `selvedge-webhook-ca`. */
  readonly name: string;
  readonly organization?: string;
  readonly validity: Validity;
}

/**
 * Makes an authority that signs itself and no other authorities. To its name comes the beginning of its key's: who trusts
 * several of one kind finds the signer by it.
 */
export function newAuthority({ name, organization, validity }: AuthorityOptions): KeyPair {
  const key = newKey();
  const keyId = keyIdOf(key);
  const subject = distinguishedName({ commonName: `${name}-${keyId.toString('hex', 0, 4)}`, organization });
  const extensions = authorityExtensions(keyId);
  return issue({ issuer: subject, subject, key, validity, extensions }, key);
}

export interface CertificateOptions {
  readonly subject: Subject;
  /** DNS names and IP addresses. */
  readonly names: readonly string[];
  readonly usages: readonly CertificateUsage[];
  readonly validity: Validity;
}

/**
 * Signs a certificate with a key of its own. The authority may be anybody's. Throws `Unsupported` if its key is not EC, and
 * what node:crypto throws for what is no certificate or no key.
 */
export function newCertificate(options: CertificateOptions, authority: KeyPair): KeyPair {
  const { names, usages, validity } = options;
  const issuer = issuerNames(authority.certificate);
  const key = newKey();
  const content = { names, usages, keyId: keyIdOf(key), authorityKeyId: issuer.keyId };
  return issue(
    {
      issuer: issuer.name,
      subject: distinguishedName(options.subject),
      key,
      validity,
      extensions: leafExtensions(content),
    },
    createPrivateKey(authority.key),
  );
}
