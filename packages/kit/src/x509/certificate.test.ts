import 'reflect-metadata';
import {
  X509Certificate,
  createPrivateKey,
  generateKeyPairSync,
  type webcrypto as WebCrypto,
  webcrypto,
} from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509Certificate as OtherParser,
  PemConverter,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import {
  type CertificateOptions,
  type KeyPair,
  newAuthority,
  newCertificate,
  newSerialNumber,
  validFrom,
} from './certificate.ts';
import { keyPem } from './key.ts';

const now = Date.UTC(2026, 0, 1, 12, 0, 0, 999);
const dayMs = 86_400_000;
const validity = validFrom(now, 90 * dayMs);
const authority = newAuthority({ name: 'hub', validity });
const options: CertificateOptions = {
  subject: { commonName: 'kubernetes', organization: 'node' },
  names: ['kubernetes'],
  usages: ['server'],
  validity,
};

const read = ({ certificate }: KeyPair): X509Certificate => new X509Certificate(certificate);
const byOther = ({ certificate }: KeyPair): OtherParser => new OtherParser(certificate);
const issued = (more: Partial<CertificateOptions> = {}): KeyPair =>
  newCertificate({ ...options, ...more }, authority);
const keyIdOf = (pair: KeyPair): string | undefined =>
  byOther(pair).getExtension(SubjectKeyIdentifierExtension)?.keyId;
const signerOf = (pair: KeyPair): string | undefined =>
  byOther(pair).getExtension(AuthorityKeyIdentifierExtension)?.keyId;

describe('an authority', () => {
  it('signs itself and certificates, and none below it does', () => {
    const certificate = read(authority);
    expect(certificate.ca).toBe(true);
    expect(certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(authority.key))).toBe(true);
    expect(byOther(authority).getExtension(BasicConstraintsExtension)).toMatchObject({
      critical: true,
      ca: true,
      pathLength: 0,
    });
    const usage = byOther(authority).getExtension(KeyUsagesExtension);
    expect([usage?.critical, usage?.usages]).toEqual([
      true,
      KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign,
    ]);
    expect(certificate.keyUsage).toBeUndefined();
  });

  it('has a name of its own among others of its kind', () => {
    const names = Array.from({ length: 4 }, () => read(newAuthority({ name: 'hub', validity })).subject);
    expect(new Set(names).size).toBe(4);
    for (const name of names) expect(name).toMatch(/^CN=hub-[0-9a-f]{8}$/);
    const organized = newAuthority({ name: 'hub', organization: 'shop-7', validity });
    expect(read(organized).subject).toMatch(/^O=shop-7\nCN=hub-/);
  });
});

describe('a certificate', () => {
  const names = ['kubernetes', '10.96.0.1', '::1', '2001:DB8::a:0:1', '::ffff:1.2.3.4'];
  const pair = issued({ names });
  const certificate = read(pair);

  it('is issued by the authority, for its own key and subject, and signs no others', () => {
    const signer = read(authority);
    expect(certificate.checkIssued(signer) && certificate.verify(signer.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(pair.key))).toBe(true);
    expect(certificate.subject).toBe('O=node\nCN=kubernetes');
    const { critical, ca, pathLength } = byOther(pair).getExtension(BasicConstraintsExtension) ?? {};
    expect([critical, ca, pathLength]).toEqual([true, false, undefined]);
    const usage = byOther(pair).getExtension(KeyUsagesExtension);
    expect([usage?.critical, usage?.usages]).toEqual([true, KeyUsageFlags.digitalSignature]);
  });

  it('is for its names and addresses, and no others', () => {
    expect(certificate.checkHost('kubernetes')).toBe('kubernetes');
    for (const address of ['10.96.0.1', '::1', '2001:db8::a:0:1', '::ffff:102:304']) {
      expect(certificate.checkIP(address)).toBeDefined();
    }
    expect(certificate.checkIP('10.96.0.2')).toBeUndefined();
    expect(read(issued({ names: [] })).subjectAltName).toBeUndefined();
  });

  it.each<[CertificateOptions['usages'], readonly string[]]>([
    [['server'], ['1.3.6.1.5.5.7.3.1']],
    [['client'], ['1.3.6.1.5.5.7.3.2']],
    [
      ['server', 'client'],
      ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'],
    ],
  ])('is for what it is used as: %j', (usages, ids) => {
    expect(read(issued({ usages })).keyUsage).toEqual(ids);
  });

  it('names its key and the key that signed it', () => {
    expect(keyIdOf(pair)).toMatch(/^[0-9a-f]{40}$/);
    expect(keyIdOf(pair)).not.toBe(keyIdOf(authority));
    expect(signerOf(pair)).toBe(keyIdOf(authority));
  });

  it('is valid in whole seconds, before 2050 and after', () => {
    for (const notAfterMs of [Date.UTC(2049, 11, 31, 23, 59, 59), Date.UTC(2050, 0, 1)]) {
      const { validFromDate, validToDate } = read(issued({ validity: { notBeforeMs: 0, notAfterMs } }));
      expect([validFromDate.getTime(), validToDate.getTime()]).toEqual([0, notAfterMs]);
    }
  });

  it('holds for those whose clocks are an hour behind', () => {
    expect(certificate.validFromDate.toISOString()).toBe('2026-01-01T11:00:00.000Z');
    expect(certificate.validToDate.toISOString()).toBe('2026-04-01T12:00:00.000Z');
  });
});

it('a serial number is positive, of one length, and nobody guesses it', () => {
  const numbers = Array.from({ length: 100 }, newSerialNumber);
  for (const one of numbers) expect(one).toMatch(/^01[0-9a-f]{30}$/);
  expect(new Set(numbers).size).toBe(100);
  expect(new Set(numbers.map((one) => one.slice(2, 4))).size).toBeGreaterThan(10);
  expect(read(issued()).serialNumber).toMatch(/^01[0-9A-F]{30}$/);
});

describe('an authority that others made', () => {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

  async function madeByOthers(
    extensionsOf: (key: WebCrypto.CryptoKey) => Promise<readonly Extension[]>,
  ): Promise<KeyPair> {
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name: 'C=DE, CN=by hand',
      notBefore: new Date(now),
      notAfter: new Date(now + dayMs),
      signingAlgorithm: algorithm,
      keys,
      extensions: [new BasicConstraintsExtension(true, 0, true), ...(await extensionsOf(keys.publicKey))],
    });
    const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
    return { certificate: certificate.toString('pem'), key: PemConverter.encode(key, 'PRIVATE KEY') };
  }

  it('is named to the byte, and its key as it names it', async () => {
    const others = await madeByOthers(async (key) => [await SubjectKeyIdentifierExtension.create(key)]);
    const pair = newCertificate(options, others);
    expect(read(pair).checkIssued(read(others)) && read(pair).verify(read(others).publicKey)).toBe(true);
    const name = Buffer.from(byOther(others).subjectName.toArrayBuffer());
    expect(Buffer.from(byOther(pair).issuerName.toArrayBuffer())).toEqual(name);
    // A PrintableString, as we write none.
    expect(name.includes('\x13\x07by hand')).toBe(true);
    expect(signerOf(pair)).toBe(keyIdOf(others));
  });

  it('signs without a name of its key', async () => {
    const others = await madeByOthers(async () => []);
    const pair = newCertificate(options, others);
    expect(read(pair).checkIssued(read(others)) && read(pair).verify(read(others).publicKey)).toBe(true);
    expect(signerOf(pair)).toBeUndefined();
  });

  it('is refused with a key that signs in another way', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    expect(() => newCertificate(options, { ...authority, key: keyPem(privateKey) })).toThrow(
      expect.objectContaining({ code: 'Unsupported' }),
    );
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
    const certificate = read(issued({ names }));
    for (const one of names) {
      expect(isIP(one) === 0 ? certificate.checkHost(one) : certificate.checkIP(one)).toBeDefined();
    }
  },
);
