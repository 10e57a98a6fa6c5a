import { X509Certificate, createPrivateKey } from 'node:crypto';
import { isIP } from 'node:net';
import { certificateBlocks } from '@selvedge/kit/x509';
import type { Secret } from '@selvedge/kube/types';

/** What the servers share: the webhook's certificate, and who signs it. PEM. */
export interface Issued {
  /** Those that API servers are to trust, the newest, which signs what comes, first. */
  readonly authorities: readonly string[];
  /** Of the newest; undefined: it signs no more. */
  readonly authorityKey: string | undefined;
  readonly certificate: string;
  readonly key: string;
}

/** For whom the certificate is to be, and when. */
export interface Wanted {
  /** What API servers call the webhook: DNS names and IP addresses. */
  readonly names: readonly string[];
  readonly now: number;
}

/** How what is issued stands. */
export interface Standing {
  /** undefined: it is over, or nobody can read it. */
  readonly newest: { readonly notAfter: number; readonly hasKey: boolean } | undefined;
  /** undefined: no API server would take it, or nobody could serve it. */
  readonly serving:
    | {
        readonly notAfter: number;
        /** Whether it is for the names that are wanted, and no others. */
        readonly isNamed: boolean;
        readonly isOfNewest: boolean;
      }
    | undefined;
}

/** The fields of the Secret's data: those of `kubernetes.io/tls`, and the authority's. */
const fields = {
  authorities: 'ca.crt',
  authorityKey: 'ca.key',
  certificate: 'tls.crt',
  key: 'tls.key',
} as const;

/** Authorities at a time: the one that signs, one that comes, and some that somebody made by hand. */
export const maxAuthorities = 4;

/** What the Secret holds; without an authority it is nothing. */
export function issuedIn(secret: Secret | undefined): Issued | undefined {
  const text = (field: string): string =>
    Buffer.from(secret?.data?.[field] ?? '', 'base64').toString('latin1');
  const authorities = certificateBlocks(text(fields.authorities));
  const authorityKey = text(fields.authorityKey);
  if (authorities.length === 0) return undefined;
  return {
    authorities,
    authorityKey: authorityKey === '' ? undefined : authorityKey,
    certificate: text(fields.certificate),
    key: text(fields.key),
  };
}

/** What API servers are to trust, PEM. */
export const bundleOf = ({ authorities }: Issued): string => authorities.join('');

const encode = (text: string): string => Buffer.from(text).toString('base64');

/** The data of the Secret. */
export function dataOf(issued: Issued): Readonly<Record<string, string>> {
  return {
    [fields.authorities]: encode(bundleOf(issued)),
    [fields.certificate]: encode(issued.certificate),
    [fields.key]: encode(issued.key),
    ...(issued.authorityKey === undefined ? {} : { [fields.authorityKey]: encode(issued.authorityKey) }),
  };
}

const notAfterOf = (certificate: X509Certificate): number => certificate.validToDate.getTime();

/** One of the future is not over: whose clock is behind must not replace what others serve. */
const isLasting = (certificate: X509Certificate, now: number): boolean => now < notAfterOf(certificate);

/** Whether it is for all of these names and no others. */
function isFor(certificate: X509Certificate, names: readonly string[]): boolean {
  const count = certificate.subjectAltName?.split(', ').length ?? 0;
  const holds = (name: string): boolean =>
    (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;
  return count === names.length && names.every(holds);
}

const isKeyOf = (certificate: X509Certificate, key: string | undefined): boolean =>
  key !== undefined && certificate.checkPrivateKey(createPrivateKey(key));

/** What OpenSSL does not read is none, whatever it is. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Those that can be read and are not over yet; the rest stays out of the count. */
function authoritiesOf({ authorities }: Issued, now: number): readonly (X509Certificate | undefined)[] {
  const read = authorities.map((pem) => attempt(() => new X509Certificate(pem)));
  return read.map((one) => (one !== undefined && isLasting(one, now) ? one : undefined));
}

function servingOf(issued: Issued, { names, now }: Wanted): Standing['serving'] {
  const serving = new X509Certificate(issued.certificate);
  const signer = authoritiesOf(issued, now).findIndex(
    (one) => one !== undefined && serving.checkIssued(one) && serving.verify(one.publicKey),
  );
  if (signer < 0 || !isLasting(serving, now) || !isKeyOf(serving, issued.key)) return undefined;
  return { notAfter: notAfterOf(serving), isNamed: isFor(serving, names), isOfNewest: signer === 0 };
}

/** How it stands at that time. Pure. */
export function standingOf(issued: Issued | undefined, wanted: Wanted): Standing {
  if (issued === undefined) return { newest: undefined, serving: undefined };
  const [newest] = authoritiesOf(issued, wanted.now);
  const { authorityKey } = issued;
  return {
    newest: newest && {
      notAfter: notAfterOf(newest),
      hasKey: attempt(() => isKeyOf(newest, authorityKey)) ?? false,
    },
    serving: attempt(() => servingOf(issued, wanted)),
  };
}

/** Those that are not over yet. */
export const lastingAuthorities = (authorities: readonly string[], now: number): readonly string[] =>
  authorities.filter((pem) => attempt(() => isLasting(new X509Certificate(pem), now)) ?? false);
