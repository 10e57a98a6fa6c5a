import { createHash } from 'node:crypto';
import { createLocalJWKSet } from 'jose/jwks/local';
import { compactVerify } from 'jose/jws/compact/verify';
import { decodeProtectedHeader } from 'jose/decode/protected_header';
import { decodeJwt } from 'jose/jwt/decode';
import { jwtVerify } from 'jose/jwt/verify';
import { SelvedgeError } from '@selvedge/kit';
import type { UserInfo } from '../request.ts';
import type { Issuer } from './signing-keys.ts';
import { userOfClaims } from './user.ts';

/** What API servers sign with. The list also keeps a public key from being taken for a shared secret. */
const algorithms = ['RS256', 'ES256', 'ES384', 'ES512'];
/** Clocks at the edge are a little off. */
const leewaySeconds = 60;

/** Under what a token is remembered, in place of the token itself: SHA-256, hexadecimal. */
export function hashOfToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** The key that a token claims to be signed with; undefined for what is no JSON web token. */
export function keyIdOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).kid;
  } catch {
    return undefined;
  }
}

export function refuseToken(why: string, cause?: unknown): SelvedgeError {
  return new SelvedgeError(`the bearer token ${why}`, {
    code: 'Unauthenticated',
    ...(cause === undefined ? {} : { cause }),
  });
}

/**
 * What can be told of a token without asking: signed by a key of the cluster; naming one that did not sign it; or of a key
 * or an issuer that is not known here, which may all the same be one of the API server's.
 */
export type Provenance = 'signed' | 'forged' | 'unknown';

/** Of the tokens in Secrets, which name no URL. Source: kubernetes.io "Managing Service Accounts". */
const legacyIssuer = 'kubernetes/serviceaccount';

const keySetOf = ({ keys }: Issuer): ReturnType<typeof createLocalJWKSet> =>
  createLocalJWKSet({ keys: keys.map((key) => ({ ...key })) });

/** Whether it names the cluster as its issuer, and one of the cluster's keys. */
function claimsKeyOf(token: string, { issuer, keys }: Issuer): boolean {
  try {
    const { iss } = decodeJwt(token);
    const keyId = keyIdOf(token);
    return (iss === issuer || iss === legacyIssuer) && keys.some(({ kid }) => kid === keyId);
  } catch {
    return false;
  }
}

/** By its signature alone; what it says and whether it still counts is the API server's part. */
export async function provenanceOf(token: string, issuer: Issuer | undefined): Promise<Provenance> {
  if (issuer === undefined || !claimsKeyOf(token, issuer)) return 'unknown';
  try {
    await compactVerify(token, keySetOf(issuer), { algorithms });
    return 'signed';
  } catch {
    return 'forged';
  }
}

/** Whether it has ended; one that says of no end has none. */
export function isExpired(token: string, nowMs: number): boolean {
  const { exp } = decodeJwt(token);
  return exp !== undefined && nowMs >= (exp + leewaySeconds) * 1_000;
}

export interface TokenCheck {
  readonly issuer: Issuer;
  readonly nowMs: number;
  /** Also before it begins: the clock cannot be right. */
  readonly earlyToo: boolean;
  /** Also once it has expired: it is looked at as of its last moment. */
  readonly expiredToo: boolean;
}

/** The time as of which a token is looked at. Throws on what is no token. */
function timeFor(token: string, { nowMs, earlyToo, expiredToo }: TokenCheck): Date {
  const { exp = Infinity, nbf = 0 } = decodeJwt(token);
  const begunMs = earlyToo ? Math.max(nowMs, nbf * 1_000) : nowMs;
  return new Date(expiredToo ? Math.min(begunMs, (exp - 1) * 1_000) : begunMs);
}

/**
 * The service account that a token was issued to: signature, issuer, audience and time are verified, whether it was
 * revoked is not. Rejects with `Unauthenticated`. Source: RFC 7519, RFC 8725.
 */
export async function verifyToken(token: string, check: TokenCheck): Promise<UserInfo> {
  const { issuer, audiences } = check.issuer;
  const payload = await verifiedPayload(token, check, {
    issuer,
    audience: [...audiences],
    keys: keySetOf(check.issuer),
  });
  const user = userOfClaims(payload);
  if (user === undefined) throw refuseToken('is not of a service account');
  return user;
}

async function verifiedPayload(
  token: string,
  check: TokenCheck,
  expected: {
    readonly issuer: string;
    readonly audience: string[];
    readonly keys: ReturnType<typeof createLocalJWKSet>;
  },
): Promise<unknown> {
  const { keys, issuer, audience } = expected;
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      algorithms,
      requiredClaims: ['exp'],
      currentDate: timeFor(token, check),
      clockTolerance: leewaySeconds,
    });
    return payload;
  } catch (cause) {
    throw refuseToken('is not valid', cause);
  }
}
