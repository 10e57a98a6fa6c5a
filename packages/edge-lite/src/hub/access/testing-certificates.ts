import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const begin = new Date('2025-12-31T00:00:00Z');
const end = new Date('2027-01-01T00:00:00Z');

export interface ClientRequest {
  readonly names: readonly string[];
  readonly organizations?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Default: for clients. */
  readonly usage?: 'client' | 'server' | 'any';
}

/** An authority in memory that signs client certificates. */
export interface ClientAuthority {
  readonly pem: string;
  /** DER. */
  issue(request: ClientRequest): Promise<Uint8Array>;
}

const usages = {
  client: [new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth])],
  server: [new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth])],
  any: [],
};

const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

export async function createClientAuthority(name: string): Promise<ClientAuthority> {
  const keys = await newKeys();
  const root = await X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: [{ CN: [name] }],
    notBefore: begin,
    notAfter: end,
    signingAlgorithm: algorithm,
    keys,
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  });
  return {
    pem: `${root.toString('pem')}\n`,
    async issue({ names, organizations = [], notBefore = begin, notAfter = end, usage = 'client' }) {
      const { publicKey } = await newKeys();
      const certificate = await X509CertificateGenerator.create({
        serialNumber: '02',
        subject: [...organizations.map((one) => ({ O: [one] })), ...names.map((one) => ({ CN: [one] }))],
        issuer: root.subject,
        notBefore,
        notAfter,
        signingAlgorithm: algorithm,
        publicKey,
        signingKey: keys.privateKey,
        extensions: usages[usage],
      });
      return new Uint8Array(certificate.rawData);
    },
  };
}
