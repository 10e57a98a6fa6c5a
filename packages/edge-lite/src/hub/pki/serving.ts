import { type KeyPair, newCertificate } from '@selvedge/kit/x509';
import { type Authority, plausible, validFor } from './authorities.ts';

/** What the hub shows to its clients: the leaf alone, for they hold what signed it. */
export interface Serving extends KeyPair {
  readonly names: readonly string[];
  readonly issuer: Authority;
  readonly notAfterMs: number;
}

const dayMs = 86_400_000;
const servingLifeMs = 90 * dayMs;
const renewBeforeMs = 30 * dayMs;

/** A fresh key for each: it is in memory only. */
export function issueServing(issuer: Authority, names: readonly string[], nowMs: number): Serving {
  const validity = validFor(nowMs, Math.min(servingLifeMs, issuer.notAfterMs - plausible(nowMs)));
  const subject = { commonName: 'kubernetes', organization: issuer.organization };
  const pair = newCertificate({ subject, names, usages: ['server'], validity }, issuer);
  return { ...pair, names, issuer, notAfterMs: validity.notAfterMs };
}

/** Whether it may go on being shown. Pure. */
export function isCurrent(
  serving: Serving,
  wanted: { readonly issuer: Authority; readonly names: readonly string[]; readonly nowMs: number },
): boolean {
  const { issuer, names } = serving;
  const sameNames =
    names.length === wanted.names.length && names.every((name, i) => name === wanted.names[i]);
  const sameIssuer = issuer.certificate === wanted.issuer.certificate;
  const left = serving.notAfterMs - plausible(wanted.nowMs);
  const ends = left <= Math.min(renewBeforeMs, issuer.notAfterMs - serving.notAfterMs);
  return sameNames && sameIssuer && !ends;
}
