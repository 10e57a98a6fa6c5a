import 'reflect-metadata';
import { type KeyObject, X509Certificate, generateKeyPairSync } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate as OtherParser,
} from '@peculiar/x509';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { createAuthorityCertificate, createServerCertificate } from './certificate.ts';

const newKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const ca = { subject: { commonName: 'hub', organization: 'node' }, key: newKey() };
const key = newKey();
const validity = { notBeforeMs: 0, notAfterMs: Date.UTC(2050, 0, 1) };
const authority = new X509Certificate(createAuthorityCertificate(ca, validity));

function serverCertificate(names: readonly string[], until = validity.notAfterMs): X509Certificate {
  const subject = { commonName: 'kubernetes', organization: 'node' };
  const options = { subject, key, names, validity: { notBeforeMs: 0, notAfterMs: until } };
  return new X509Certificate(createServerCertificate(options, ca));
}

describe('an authority', () => {
  it('may sign, and nothing below it may', () => {
    const parsed = new OtherParser(authority.raw);
    expect(authority.ca).toBe(true);
    expect(authority.verify(authority.publicKey)).toBe(true);
    expect(parsed.getExtension(BasicConstraintsExtension)).toMatchObject({
      critical: true,
      ca: true,
      pathLength: 0,
    });
    // digitalSignature, keyCertSign and cRLSign, as RFC 5280 numbers them.
    expect(parsed.getExtension(KeyUsagesExtension)?.usages).toBe(1 | 32 | 64);
  });

  it('is valid in whole seconds, before 2050 and after', () => {
    expect(authority.validFromDate.getTime()).toBe(0);
    expect(authority.validToDate.getTime()).toBe(Date.UTC(2050, 0, 1));
    expect(serverCertificate(['x'], Date.UTC(2049, 11, 31, 23, 59, 59)).validToDate.getTime()).toBe(
      Date.UTC(2049, 11, 31, 23, 59, 59),
    );
  });
});

describe('a server certificate', () => {
  const certificate = serverCertificate([
    'kubernetes',
    '10.96.0.1',
    '::1',
    '2001:DB8::a:0:1',
    '::ffff:1.2.3.4',
  ]);

  it('is issued by the authority for its key', () => {
    expect(certificate.checkIssued(authority)).toBe(true);
    expect(certificate.verify(authority.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(key)).toBe(true);
    expect(certificate.ca).toBe(false);
  });

  it('serves under its names and addresses and authenticates no client', () => {
    expect(certificate.checkHost('kubernetes')).toBe('kubernetes');
    for (const address of ['10.96.0.1', '::1', '2001:db8::a:0:1', '::ffff:102:304']) {
      expect(certificate.checkIP(address)).toBeDefined();
    }
    expect(certificate.checkIP('10.96.0.2')).toBeUndefined();
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  });

  it('names the key that signed it', () => {
    const parsed = new OtherParser(certificate.raw);
    const { keyId } = new OtherParser(authority.raw).getExtension(SubjectKeyIdentifierExtension) ?? {};
    expect(keyId).toMatch(/^[0-9a-f]{40}$/);
    expect(parsed.getExtension(AuthorityKeyIdentifierExtension)?.keyId).toBe(keyId);
  });
});

const name = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.stringMatching(/^[a-z]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z]{1,9})?$/),
);

property.prop([fc.uniqueArray(name, { minLength: 1, maxLength: 40 })])(
  'another parser finds each of the names',
  (names) => {
    const certificate = serverCertificate(names);
    for (const one of names) {
      expect(isIP(one) === 0 ? certificate.checkHost(one) : certificate.checkIP(one)).toBeDefined();
    }
  },
);
