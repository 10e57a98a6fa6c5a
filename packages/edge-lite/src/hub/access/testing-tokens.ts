import { type KeyObject, createHmac, generateKeyPairSync, sign } from 'node:crypto';

export const issuer = 'https://kubernetes.default.svc.cluster.local';

/** A key that signs tokens, as `--service-account-signing-key-file` holds one. */
export interface TokenKey {
  readonly kid: string;
  readonly alg: 'RS256' | 'ES256';
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export function newTokenKey(kid: string, alg: TokenKey['alg'] = 'RS256'): TokenKey {
  const pair =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2_048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { kid, alg, ...pair };
}

export const jwkOf = ({ kid, alg, publicKey }: TokenKey): object => ({
  ...publicKey.export({ format: 'jwk' }),
  kid,
  alg,
  use: 'sig',
});

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');

/** A token with this header and these claims, signed by `key` whatever they say. */
export function signToken(key: TokenKey, header: object, claims: object): string {
  const signed = `${encoded(header)}.${encoded(claims)}`;
  const signature = sign('sha256', Buffer.from(signed), { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

/** A token that takes the public key's PEM for a shared secret. */
export function signWithPublicKey(key: TokenKey, claims: object): string {
  const secret = key.publicKey.export({ type: 'spki', format: 'pem' });
  const signed = `${encoded({ alg: 'HS256', kid: key.kid })}.${encoded(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** A token that nobody signed. */
export const unsignedToken = (claims: object): string => `${encoded({ alg: 'none' })}.${encoded(claims)}.`;
