import { type KeyObject, createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { SelvedgeError } from '../errors.ts';
import { bitString, identifier, sequence } from './der.ts';

/** A private key: EC P-256. */
export const newKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

/** PKCS #8, PEM. */
export const keyPem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

/** The SubjectPublicKeyInfo of a private key. */
export const publicKeyOf = (key: KeyObject): Buffer =>
  createPublicKey(key).export({ type: 'spki', format: 'der' });

/** Names a key: 20 bytes of the hash of its SubjectPublicKeyInfo. Any way to make them will do: RFC 5280 section 4.2.1.2. */
export const keyIdOf = (key: KeyObject): Buffer =>
  createHash('sha256').update(publicKeyOf(key)).digest().subarray(0, 20);

/** ECDSA with SHA-256. Source: RFC 5758 section 3.2. */
export const signatureAlgorithm = sequence(identifier('1.2.840.10045.4.3.2'));

/** `content`, the algorithm and the signature, as requests and certificates have it. Throws `Unsupported` for another key than EC. */
export function signed(content: Uint8Array, key: KeyObject): Buffer {
  if (key.asymmetricKeyType !== 'ec') throw new SelvedgeError('only EC keys sign', { code: 'Unsupported' });
  return sequence(content, signatureAlgorithm, bitString(sign('sha256', content, key)));
}
