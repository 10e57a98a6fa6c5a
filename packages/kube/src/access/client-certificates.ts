import { X509Certificate, createHash } from 'node:crypto';
import { BoundedMap, type Clock, SelvedgeError } from '@selvedge/kit';
import { certificatesOf } from '@selvedge/kit/x509';
import type { UserInfo } from './types.ts';
import { userOfCertificate } from './user.ts';

export interface ClientCertificatesOptions {
  /** Certificates remembered, so that each is read and verified once. */
  readonly maxCertificates: number;
}

export interface ClientCertificatesDeps {
  readonly clock: Pick<Clock, 'now'>;
  /** PEM of the authorities that sign the cluster's client certificates, now. */
  readonly authorities: () => string;
  /** False: the clock is behind, so that what the cluster signed only seems to be of the future. Default: always true. */
  readonly isPlausible?: () => boolean;
  /** Whether the one of this user counts past its end. Default: nobody's. */
  readonly outlivesItsEnd?: (user: UserInfo) => boolean;
}

interface Known {
  readonly user: UserInfo;
  readonly validFromMs: number;
  readonly validToMs: number;
  /** What it was verified against. */
  readonly authorities: string;
}

/** `extendedKeyUsage`: clientAuth, any. Source: RFC 5280, section 4.2.1.12. */
const clientUsages: readonly string[] = ['1.3.6.1.5.5.7.3.2', '2.5.29.37.0'];

const refuse = (why: string, hint?: string): SelvedgeError =>
  new SelvedgeError(`the client certificate ${why}`, {
    code: 'Unauthenticated',
    ...(hint === undefined ? {} : { hint }),
  });

function parse(der: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch {
    throw refuse('cannot be read');
  }
}

/**
 * Whom client certificates name. TLS has verified the chain already; signature and purpose are looked at again, because
 * connections outlive certificates and authorities, and time is looked at here alone: it depends on the clock and on the
 * cloud. The authorities must hold the direct issuer.
 */
export class ClientCertificates {
  readonly #deps: ClientCertificatesDeps;
  readonly #known: BoundedMap<string, Known>;

  constructor(options: ClientCertificatesOptions, deps: ClientCertificatesDeps) {
    this.#deps = deps;
    this.#known = new BoundedMap({ capacity: options.maxCertificates });
  }

  /** Throws `Unauthenticated`. */
  userOf(der: Uint8Array): UserInfo {
    const fingerprint = createHash('sha256').update(der).digest('hex');
    const authorities = this.#deps.authorities();
    const known = this.#known.get(fingerprint);
    const current = known?.authorities === authorities ? known : this.#verify(der, authorities);
    this.#known.set(fingerprint, current);
    const { clock, isPlausible, outlivesItsEnd } = this.#deps;
    const now = clock.now();
    const { user, validFromMs, validToMs } = current;
    if (now < validFromMs && isPlausible?.() !== false)
      throw refuse('is not valid yet', 'look at the clocks of this machine and of the client');
    if (now >= validToMs && outlivesItsEnd?.(user) !== true)
      throw refuse('has expired', 'the client must renew it');
    return user;
  }

  #verify(der: Uint8Array, authorities: string): Known {
    const certificate = parse(der);
    const issued = certificatesOf(authorities).some(
      (authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey),
    );
    if (!issued) throw refuse("is not signed by the cluster's CA");
    const usages: readonly string[] | undefined = certificate.keyUsage;
    if (usages !== undefined && !usages.some((usage) => clientUsages.includes(usage))) {
      throw refuse('is not meant for clients');
    }
    return {
      user: userOfCertificate(certificate),
      validFromMs: certificate.validFromDate.getTime(),
      validToMs: certificate.validToDate.getTime(),
      authorities,
    };
  }
}
