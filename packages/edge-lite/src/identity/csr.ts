import { type KeyObject, createPublicKey, sign } from 'node:crypto';

/** X.690 tags. */
const tag = {
  integer: 0x02,
  bitString: 0x03,
  oid: 0x06,
  utf8: 0x0c,
  sequence: 0x30,
  set: 0x31,
  context0: 0xa0,
};
const oid = {
  commonName: '550403',
  organization: '55040a',
  ecdsaWithSha256: '2a8648ce3d040302',
};

function der(type: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const size = body.length.toString(16);
  const digits = Buffer.from(size.length % 2 === 0 ? size : `0${size}`, 'hex');
  const length = body.length < 0x80 ? digits : Buffer.concat([Uint8Array.of(0x80 | digits.length), digits]);
  return Buffer.concat([Uint8Array.of(type), length, body]);
}

const identifier = (hex: string): Buffer => der(tag.oid, Buffer.from(hex, 'hex'));
const attribute = (type: string, value: string): Buffer =>
  der(tag.set, der(tag.sequence, identifier(type), der(tag.utf8, Buffer.from(value))));

export interface Subject {
  readonly commonName: string;
  readonly organization: string;
}

/** A PKCS #10 request (RFC 2986) for an EC key, ECDSA with SHA-256, without attributes; PEM. */
export function createCsr(subject: Subject, key: KeyObject): string {
  const name = der(
    tag.sequence,
    attribute(oid.organization, subject.organization),
    attribute(oid.commonName, subject.commonName),
  );
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const info = der(tag.sequence, der(tag.integer, Uint8Array.of(0)), name, publicKey, der(tag.context0));
  const signature = sign('sha256', info, key);
  const algorithm = der(tag.sequence, identifier(oid.ecdsaWithSha256));
  const request = der(tag.sequence, info, algorithm, der(tag.bitString, Uint8Array.of(0), signature));
  const lines = request.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE REQUEST-----', ...lines, '-----END CERTIFICATE REQUEST-----', ''].join(
    '\n',
  );
}
