import { createHash } from 'node:crypto';
import { createLocalJWKSet } from 'jose/jwks/local';
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

export interface TokenCheck {
  readonly issuer: Issuer;
  readonly nowMs: number;
  /** Also once it has expired: it is looked at as of its last moment. */
  readonly expiredToo: boolean;
}

/** The time as of which a token is looked at. Throws on what is no token. */
function timeFor(token: string, { nowMs, expiredToo }: TokenCheck): Date {
  const { exp } = decodeJwt(token);
  if (!expiredToo || exp === undefined) return new Date(nowMs);
  return new Date(Math.min(nowMs, (exp - 1) * 1_000));
}

/**
 * The service account that a token was issued to: signature, issuer, audience and time are verified, whether it was
 * revoked is not. Rejects with `Unauthenticated`. Source: RFC 7519, RFC 8725.
 */
export async function verifyToken(token: string, check: TokenCheck): Promise<UserInfo> {
  const { issuer, audiences, keys } = check.issuer;
  const payload = await verifiedPayload(token, check, {
    issuer,
    audience: [...audiences],
    keys: createLocalJWKSet({ keys: keys.map((key) => ({ ...key })) }),
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
