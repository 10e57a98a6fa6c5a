import 'reflect-metadata';
import { type webcrypto as WebCrypto, webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A certificate and its ECDSA P-256 key, PEM. */
export interface KeyPair {
  readonly certificate: string;
  /** PKCS #8. */
  readonly key: string;
}

export interface CertificateRequest {
  readonly commonName: string;
  /** `O` of the subject: groups, for a client. */
  readonly organizations?: readonly string[];
  /** Default: both. */
  readonly usages?: readonly ('client' | 'server')[];
  readonly dnsNames?: readonly string[];
  readonly addresses?: readonly string[];
  /** Default 365 days. */
  readonly lifetimeMs?: number;
}

/** Signs certificates. */
export interface Authority {
  readonly keyPair: KeyPair;
  issue(request: CertificateRequest): Promise<KeyPair>;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const usageIds = { client: ExtendedKeyUsage.clientAuth, server: ExtendedKeyUsage.serverAuth } as const;
const yearMs = 365 * 24 * 3_600_000;
/** Clocks of others may be a little behind. */
const backdateMs = 5 * 60_000;

async function newKeys(): Promise<WebCrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

async function pem(key: WebCrypto.CryptoKey): Promise<string> {
  const [format, label] =
    key.type === 'private' ? (['pkcs8', 'PRIVATE KEY'] as const) : (['spki', 'PUBLIC KEY'] as const);
  return `${PemConverter.encode(await webcrypto.subtle.exportKey(format, key), label)}\n`;
}

function serialNumber(): string {
  return `01${Buffer.from(webcrypto.getRandomValues(new Uint8Array(15))).toString('hex')}`;
}

/** RFC 4514, with what it makes special escaped. */
function subject(request: CertificateRequest): string {
  const escape = (text: string): string => text.replaceAll(/[,+"\\<>;=]/g, String.raw`\$&`);
  const organizations = (request.organizations ?? []).map((each) => `O=${escape(each)}`);
  return [...organizations, `CN=${escape(request.commonName)}`].join(', ');
}

function alternativeNames(request: CertificateRequest): Extension[] {
  const names: JsonGeneralName[] = [
    ...(request.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(request.addresses ?? []).map((value) => ({ type: 'ip' as const, value })),
  ];
  return names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)];
}

/** A pair of keys for signing service-account tokens, PEM. */
export async function newSigningKeys(): Promise<{ readonly privateKey: string; readonly publicKey: string }> {
  const keys = await newKeys();
  return { privateKey: await pem(keys.privateKey), publicKey: await pem(keys.publicKey) };
}

/** A self-signed certificate authority, valid for ten years from `nowMs`. */
export async function newAuthority(commonName: string, nowMs: number): Promise<KeyPair> {
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=${commonName}`,
    notBefore: new Date(nowMs - backdateMs),
    notAfter: new Date(nowMs + 10 * yearMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(
        KeyUsageFlags.keyCertSign | KeyUsageFlags.digitalSignature | KeyUsageFlags.cRLSign,
        true,
      ),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, key: await pem(keys.privateKey) };
}

/** The authority of a certificate and key made by `newAuthority`. */
export async function openAuthority(keyPair: KeyPair, clock: { now(): number }): Promise<Authority> {
  const issuer = new X509Certificate(keyPair.certificate);
  const encoded = PemConverter.decodeFirst(keyPair.key);
  const signingKey = await webcrypto.subtle.importKey('pkcs8', encoded, algorithm, false, ['sign']);
  return {
    keyPair,
    async issue(request) {
      const keys = await newKeys();
      const usages = (request.usages ?? ['client', 'server']).map((usage) => usageIds[usage]);
      const certificate = await X509CertificateGenerator.create({
        serialNumber: serialNumber(),
        subject: subject(request),
        issuer: issuer.subject,
        notBefore: new Date(clock.now() - backdateMs),
        notAfter: new Date(clock.now() + (request.lifetimeMs ?? yearMs)),
        signingAlgorithm: algorithm,
        publicKey: keys.publicKey,
        signingKey,
        extensions: [
          new BasicConstraintsExtension(false, undefined, true),
          new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
          new ExtendedKeyUsageExtension(usages),
          await AuthorityKeyIdentifierExtension.create(issuer),
          await SubjectKeyIdentifierExtension.create(keys.publicKey),
          ...alternativeNames(request),
        ],
      });
      return { certificate: `${certificate.toString('pem')}\n`, key: await pem(keys.privateKey) };
    },
  };
}
