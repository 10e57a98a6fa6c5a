import { type KeyObject, generateKeyPairSync } from 'node:crypto';

const type = 'ecdsa-sha2-nistp256';
const curve = 'nistp256';

/** A key for a person, PEM as OpenSSH reads it. */
export function createOperatorKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return privateKey.export({ type: 'sec1', format: 'pem' }).toString();
}

function string(bytes: Uint8Array | string): Buffer {
  const content = Buffer.from(bytes);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
}

/** Its line of `authorized_keys`. Source: RFC 5656, section 3.1. */
export function authorizedKeyOf(publicKey: KeyObject): string {
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const point = [Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')];
  const wire = Buffer.concat([string(type), string(curve), string(Buffer.concat(point))]);
  return `${type} ${wire.toString('base64')} operator`;
}
