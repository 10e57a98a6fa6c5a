import { X509Certificate } from 'node:crypto';
import type { Secret } from '@selvedge/kube/types';
import { describe, expect, test } from 'vitest';
import { type Issued, bundleOf, dataOf, issuedIn, standingOf } from './issued.ts';
import { type CertificatePlan, carriedOut, planCertificates } from './plan.ts';

const dayMs = 24 * 3_600_000;
const lifetimes = { servingMs: 90 * dayMs, authorityMs: 1_000 * dayMs, overlapMs: 300_000 };
const names = ['cloud-manager.selvedge-system.svc', '10.0.0.1', 'fd00::1'];
const start = Date.parse('2026-01-01T00:00:00Z');

interface At {
  readonly now?: number;
  readonly trustedForMs?: number | undefined;
  readonly wanted?: readonly string[];
}

function planFor(
  issued: Issued | undefined,
  { now = start, wanted = names, trustedForMs }: At = {},
): CertificatePlan {
  const standing = standingOf(issued, { names: wanted, now });
  return planCertificates({ standing, now, trustedForMs }, lifetimes);
}

function after(kind: 'begin' | 'announce' | 'issue', before: Issued | undefined, now = start): Issued {
  const standing = standingOf(before, { names, now });
  return carriedOut(kind, { before, standing, names, now }, lifetimes);
}

const first = after('begin', undefined);
const keepUntil = (until: number): CertificatePlan => ({ kind: 'keep', until });
/** Certificates say whole seconds. */
const serves = (issued: Issued): X509Certificate => new X509Certificate(issued.certificate);
const signerOf = (issued: Issued): number =>
  issued.authorities.findIndex((pem) => serves(issued).verify(new X509Certificate(pem).publicKey));

describe('the plan', () => {
  test('begins, and then has nothing to do until a third of the lifetime is left', () => {
    expect(planFor(undefined)).toEqual({ kind: 'begin' });
    expect(planFor(first)).toEqual(keepUntil(start + 60 * dayMs));
    expect(planFor(first, { now: start + 60 * dayMs })).toEqual({ kind: 'issue' });
  });

  test('issues for other names at once', () => {
    expect(planFor(first, { wanted: names.slice(1) })).toEqual({ kind: 'issue' });
    expect(planFor(first, { wanted: [...names, 'another'] })).toEqual({ kind: 'issue' });
    expect(planFor(first, { wanted: [...names.slice(1), 'another'] })).toEqual({ kind: 'issue' });
    expect(planFor(first, { wanted: names.toReversed() }).kind).toBe('keep');
  });

  test('issues at once where nobody could serve, or nobody would take, what there is', () => {
    const other = after('begin', undefined);
    for (const broken of [{ key: other.key }, { key: '' }, { certificate: 'x' }, { certificate: '' }])
      expect(planFor({ ...first, ...broken })).toEqual({ kind: 'issue' });
    expect(planFor(first, { now: start + 90 * dayMs })).toEqual({ kind: 'issue' });
    const own = { authorityKey: other.authorityKey, authorities: other.authorities };
    expect(planFor({ ...first, ...own })).toEqual({ kind: 'issue' });
  });

  test('begins anew where there is nobody to sign either', () => {
    const keyless = { ...first, authorityKey: undefined };
    expect(planFor({ ...keyless, key: '' })).toEqual({ kind: 'begin' });
    expect(planFor({ ...keyless, authorities: ['x'] })).toEqual({ kind: 'begin' });
    expect(planFor({ ...first, authorityKey: 'x', certificate: '' })).toEqual({ kind: 'begin' });
    expect(planFor(first, { now: start + 1_001 * dayMs })).toEqual({ kind: 'begin' });
  });

  test('is for API servers whose clocks are an hour behind, and none of a server whose own is', () => {
    expect(serves(first).validFromDate.getTime()).toBe(start - 3_600_000);
    expect(planFor(first, { now: start - 2 * 3_600_000 }).kind).toBe('keep');
  });

  test('announces an authority before it signs, and lets it sign when it was known for a while', () => {
    const now = start + 667 * dayMs;
    const renewed = after('issue', first, now);
    expect(planFor(renewed, { now })).toEqual({ kind: 'announce' });
    const announced = after('announce', renewed, now);
    expect(announced.certificate).toBe(renewed.certificate);
    expect(announced.authorities).toHaveLength(2);
    expect(signerOf(announced)).toBe(1);
    expect(planFor(announced, { now })).toEqual(keepUntil(now + 300_000));
    expect(planFor(announced, { now, trustedForMs: 299_000 })).toEqual(keepUntil(now + 1_000));
    expect(planFor(announced, { now, trustedForMs: 300_000 })).toEqual({ kind: 'issue' });
    const last = after('issue', announced, now);
    expect(signerOf(last)).toBe(0);
    expect(bundleOf(last)).toBe(bundleOf(announced));
    expect(planFor(last, { now }).kind).toBe('keep');
  });

  test('replaces an authority whose key was taken away, as often as it is', () => {
    let issued: Issued = first;
    for (let turn = 0; turn < 6; turn += 1) {
      const keyless = { ...issued, authorityKey: undefined };
      expect(planFor(keyless)).toEqual({ kind: 'announce' });
      issued = after('announce', keyless);
      expect(issued.certificate).toBe(first.certificate);
      expect(signerOf(issued)).toBe(1);
      expect(issued.authorities).toHaveLength(2);
    }
  });

  test('keeps few authorities, and none that is over', () => {
    let issued = first;
    for (let turn = 0; turn < 6; turn += 1) issued = after('issue', after('announce', issued));
    expect(issued.authorities).toHaveLength(4);
    const now = start + 1_001 * dayMs;
    expect(after('announce', issued, now).authorities).toHaveLength(1);
  });
});

describe('the certificate', () => {
  test('is for servers, of those names, and verifies against the authority', () => {
    const certificate = serves(first);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(certificate.ca).toBe(false);
    expect(new X509Certificate(bundleOf(first)).ca).toBe(true);
    for (const name of names) expect(certificate.checkHost(name) ?? certificate.checkIP(name)).toBe(name);
  });

  test('comes back from the Secret as it went in', () => {
    const secret: Secret = { metadata: {}, data: dataOf(first) };
    expect(issuedIn(secret)).toEqual(first);
    const keyless = { ...first, authorityKey: undefined };
    expect(issuedIn({ metadata: {}, data: dataOf(keyless) })).toEqual(keyless);
  });

  test('is none in a Secret without an authority', () => {
    expect(issuedIn(undefined)).toBeUndefined();
    expect(issuedIn({ metadata: {} })).toBeUndefined();
    expect(issuedIn({ metadata: {}, data: { ...dataOf(first), 'ca.crt': '' } })).toBeUndefined();
  });
});
