import { type KeyObject, createPublicKey, sign } from 'node:crypto';
import { bitString, identifier, sequence } from './der.ts';

/** ECDSA with SHA-256. Source: RFC 5758 section 3.2. */
export const signatureAlgorithm = sequence(identifier('2a8648ce3d040302'));

/** `content`, the algorithm and the signature, as requests and certificates have it. */
export const signed = (content: Uint8Array, key: KeyObject): Buffer =>
  sequence(content, signatureAlgorithm, bitString(sign('sha256', content, key)));

/** The SubjectPublicKeyInfo of a private key. */
export const publicKeyOf = (key: KeyObject): Buffer =>
  createPublicKey(key).export({ type: 'spki', format: 'der' });
