import { newAuthority, newCertificate, validFrom } from '@selvedge/kit/x509';
import { type Issued, type Standing, type Wanted, lastingAuthorities, maxAuthorities } from './issued.ts';

export interface Lifetimes {
  readonly servingMs: number;
  readonly authorityMs: number;
  /** How long API servers have been told of a new authority before it signs what is served. */
  readonly overlapMs: number;
}

export interface Facts {
  readonly standing: Standing;
  readonly now: number;
  /** Since when API servers are told of all authorities, in milliseconds before now; undefined: they are not. */
  readonly trustedForMs: number | undefined;
}

/** What is to be done next. `keep`: nothing before that time, in milliseconds since the Unix epoch. */
export type CertificatePlan =
  | { readonly kind: 'keep'; readonly until: number }
  /** A new authority, and a certificate of it: nobody trusts it yet. */
  | { readonly kind: 'begin' }
  /** A new authority beside the others, which signs nothing yet. */
  | { readonly kind: 'announce' }
  /** A certificate of the newest authority. */
  | { readonly kind: 'issue' };

/** What is left of a lifetime when its successor is made. */
const third = (ms: number): number => ms / 3;

/** An authority is to outlive what it has signed. */
const authorityRenewal = (notAfter: number, { authorityMs, servingMs }: Lifetimes): number =>
  notAfter - Math.max(servingMs, third(authorityMs));

/** What there is nothing to serve without: of an authority that API servers may trust already, if there is one. Pure. */
export const firstStep = ({ newest }: Standing): 'begin' | 'issue' =>
  newest?.hasKey === true ? 'issue' : 'begin';

/** While the newest authority has signed nothing yet. */
function planAnnounced({ trustedForMs, now }: Facts, { overlapMs }: Lifetimes): CertificatePlan {
  if (trustedForMs !== undefined && trustedForMs >= overlapMs) return { kind: 'issue' };
  return { kind: 'keep', until: now + overlapMs - (trustedForMs ?? 0) };
}

/**
 * The next step towards a certificate that lasts. A new authority is announced first and signs later, so that no API server
 * meets a certificate that it does not trust; the old one stays trusted until it is over. An authority without a key, which is
 * what is left when a person takes it away, is replaced in the same way. Pure.
 */
export function planCertificates(facts: Facts, lifetimes: Lifetimes): CertificatePlan {
  const { standing, now } = facts;
  const { newest, serving } = standing;
  if (serving === undefined) return { kind: firstStep(standing) };
  if (newest === undefined || !newest.hasKey) return { kind: 'announce' };
  if (!serving.isOfNewest) return planAnnounced(facts, lifetimes);
  const authorityUntil = authorityRenewal(newest.notAfter, lifetimes);
  if (now >= authorityUntil) return { kind: 'announce' };
  const servingUntil = serving.notAfter - third(lifetimes.servingMs);
  if (now >= servingUntil || !serving.isNamed) return { kind: 'issue' };
  return { kind: 'keep', until: Math.min(servingUntil, authorityUntil) };
}

const subject = { commonName: 'selvedge-webhook' };

export interface Starting extends Wanted {
  readonly before: Issued | undefined;
  readonly standing: Standing;
}

/** What is issued after the step. */
export function carriedOut(
  kind: Exclude<CertificatePlan['kind'], 'keep'>,
  { before, standing, names, now }: Starting,
  { servingMs, authorityMs }: Lifetimes,
): Issued {
  const serving = { subject, names, usages: ['server'], validity: validFrom(now, servingMs) } as const;
  if (kind === 'issue' && before?.authorityKey !== undefined) {
    const [newest = ''] = before.authorities;
    const signer = { certificate: newest, key: before.authorityKey };
    return { ...before, ...newCertificate(serving, signer) };
  }
  const authority = newAuthority({ name: 'selvedge-webhook-ca', validity: validFrom(now, authorityMs) });
  const own = { authorityKey: authority.key, authorities: [authority.certificate] };
  if (kind !== 'announce' || before === undefined) return { ...own, ...newCertificate(serving, authority) };
  // One that was announced and signed nothing is in nobody's way.
  const used = standing.serving?.isOfNewest === false ? before.authorities.slice(1) : before.authorities;
  const others = lastingAuthorities(used, now).slice(0, maxAuthorities - 1);
  return { ...before, ...own, authorities: [authority.certificate, ...others] };
}
