import { X509Certificate, createPrivateKey } from 'node:crypto';
import { SelvedgeError, earliestNowMs } from '@selvedge/kit';
import { type KeyPair, type Validity, newAuthority as newPair } from '@selvedge/kit/x509';

/** One certificate authority of this node. */
export interface Authority extends KeyPair {
  /** `O` of its name: the node's. */
  readonly organization: string;
  /** When it was made, in milliseconds since the epoch. */
  readonly madeMs: number;
  readonly notAfterMs: number;
}

const dayMs = 86_400_000;
const authorityLifeMs = 3_650 * dayMs;
/** A successor is published this long before its predecessor ends. */
const successionMs = 730 * dayMs;
/** One that is nearer to its end signs no more. */
const retiredMs = 90 * dayMs;
/**
 * While the clock was never set, certificates end counting from the earliest time that it can be, and they are valid from
 * the epoch on, so that they hold before and after it is set.
 */
export const plausible = (nowMs: number): number => Math.max(nowMs, earliestNowMs);

const wholeSeconds = (ms: number): number => Math.floor(ms / 1_000) * 1_000;

export const validFor = (nowMs: number, lifeMs: number): Validity => ({
  notBeforeMs: 0,
  notAfterMs: wholeSeconds(plausible(nowMs) + lifeMs),
});

function authorityOf({ certificate, key }: KeyPair): Authority {
  const parsed = new X509Certificate(certificate);
  const { O = '' } = parsed.toLegacyObject().subject;
  const notAfterMs = parsed.validToDate.getTime();
  if (!parsed.ca || !parsed.checkPrivateKey(createPrivateKey(key))) {
    throw new SelvedgeError('the certificate is no authority, or of another key', { code: 'Corrupt' });
  }
  return { organization: String(O), key, certificate, notAfterMs, madeMs: notAfterMs - authorityLifeMs };
}

export const newAuthority = (nodeName: string, nowMs: number): Authority =>
  authorityOf(
    newPair({
      name: 'selvedge-hub',
      organization: nodeName,
      validity: validFor(nowMs, authorityLifeMs),
    }),
  );

/** What to do about the authorities. */
export interface AuthorityPlan {
  /** Those to keep, the newest first. */
  readonly keep: readonly Authority[];
  /** Whether one more is due. */
  readonly succeed: boolean;
}

/** A clock that goes astray again and again must not have ever more of them made. */
const maxAuthorities = 4;

/** It has ended, and not only by the clock: its successor was made in its time. */
function isSucceeded(one: Authority, all: readonly Authority[], now: number): boolean {
  return (
    one.notAfterMs <= now && all.some(({ madeMs, notAfterMs }) => notAfterMs > now && madeMs < one.notAfterMs)
  );
}

/**
 * Those that have ended and have a successor go, and near the end of the newest a successor is due. A clock that shows a
 * time past the end of all of them may be wrong: they stay, for what trusts them. Pure.
 */
export function planAuthorities(known: readonly Authority[], nowMs: number): AuthorityPlan {
  const now = plausible(nowMs);
  const keep = known
    .filter((one) => !isSucceeded(one, known, now))
    .toSorted((a, b) => b.notAfterMs - a.notAfterMs);
  const newest = keep[0]?.notAfterMs ?? 0;
  return { keep, succeed: newest - now <= successionMs && keep.length < maxAuthorities };
}

/**
 * Which of them signs: the oldest, as long as it can, because programs read the bundle once, when they start. Pure.
 */
export function signingAuthority(authorities: readonly Authority[], nowMs: number): Authority | undefined {
  return (
    authorities.findLast(({ notAfterMs }) => notAfterMs - plausible(nowMs) > retiredMs) ?? authorities[0]
  );
}

const pair =
  /(-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n)(-----BEGIN PRIVATE KEY-----[\s\S]+?-----END PRIVATE KEY-----\n)/g;

/** Certificates, each with its key behind it. */
export const formatAuthorities = (authorities: readonly Authority[]): string =>
  authorities.map(({ certificate, key }) => certificate + key).join('');

/** Throws `Corrupt` if there is none, or what node:crypto throws for what is none. */
export function parseAuthorities(text: string): readonly Authority[] {
  const parsed = Array.from(text.matchAll(pair), ([, certificate = '', key = '']) =>
    authorityOf({ certificate, key }),
  );
  if (parsed.length === 0) throw new SelvedgeError('there is no certificate authority', { code: 'Corrupt' });
  return parsed;
}
