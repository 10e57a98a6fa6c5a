import { BoundedMap, type Clock } from '@selvedge/kit';
import type { RuntimeKind, RuntimeRepository } from '../../store/index.ts';
import type { UserInfo } from '../request.ts';
import { extraKeys } from './user.ts';

/** When it came first, in milliseconds since the epoch. */
const ownKind: RuntimeKind<number> = { name: 'hub-own-certificate' };
/** A kubelet that renews its own leaves the earlier ones behind. */
const maxCertificates = 4;

export interface OwnCertificatesDeps {
  readonly runtime: RuntimeRepository;
  readonly clock: Pick<Clock, 'now'>;
}

const fingerprintOf = (user: UserInfo): string | undefined => user.extra?.[extraKeys.credentialId]?.[0];

/**
 * The certificates of this node's kubelet that were good while the cloud was in reach, by their fingerprints, on disk. It
 * cannot renew one that ends in a cut.
 */
export class OwnCertificates {
  readonly #deps: OwnCertificatesDeps;
  readonly #known: BoundedMap<string, number>;

  constructor(deps: OwnCertificatesDeps) {
    this.#deps = deps;
    this.#known = new BoundedMap({
      capacity: maxCertificates,
      onEvict: (fingerprint) => void deps.runtime.delete(ownKind, fingerprint),
    });
  }

  load(): void {
    const entries = this.#deps.runtime.list(ownKind);
    for (const { key, document } of entries.toSorted((a, b) => a.document - b.document)) {
      this.#known.set(key, document);
    }
  }

  has(user: UserInfo): boolean {
    const fingerprint = fingerprintOf(user);
    return fingerprint !== undefined && this.#known.get(fingerprint) !== undefined;
  }

  add(user: UserInfo): void {
    const fingerprint = fingerprintOf(user);
    if (fingerprint === undefined || this.has(user)) return;
    const document = this.#deps.clock.now();
    this.#known.set(fingerprint, document);
    this.#deps.runtime.put(ownKind, { key: fingerprint, document }, { durable: true });
  }
}
