import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import {
  type JsonGeneralName,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
} from '@peculiar/x509';

export interface RequestOptions {
  /** RFC 4514: `O=system:nodes, CN=system:node:shop-1`. */
  readonly subject: string;
  readonly names?: readonly JsonGeneralName[];
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** A PEM PKCS #10 request with a key of its own. */
export async function newRequest({ subject, names = [] }: RequestOptions): Promise<string> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: subject,
    keys,
    signingAlgorithm: algorithm,
    extensions: names.length === 0 ? [] : [new SubjectAlternativeNameExtension([...names])],
  });
  return `${request.toString('pem')}\n`;
}
