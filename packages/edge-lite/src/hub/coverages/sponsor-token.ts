import { SelvedgeError, createSingleFlight, hasCode, type Clock } from '@selvedge/kit';
import type { ServiceAccountToken, TokenSource } from '../../pods/index.ts';
import type { RuntimeKind, RuntimeRepository } from '../../store/index.ts';
import type { PodIdentity } from '../request.ts';

/** A service account of which pods of this node are. */
export interface Account {
  readonly namespace: string;
  readonly serviceAccount: string;
}

export interface SponsorTokensDeps {
  readonly documents: RuntimeRepository;
  /** TokenRequests in the name of the node. */
  readonly tokens: TokenSource;
  /** The pods of this node that use the account. */
  readonly podsOf: (account: Account) => Iterable<PodIdentity>;
  /** Whether the pod is still one of this node's. */
  readonly hasPod: (pod: PodIdentity) => boolean;
  readonly clock: Clock;
}

/** Tokens that the hub itself uses, to follow what a pod of this node may read and the node may not. */
export interface SponsorTokens {
  /** Rejects with `Forbidden` where no pod of this node uses the account. */
  token(account: Account, signal: AbortSignal): Promise<string>;
  /** Upstream does not accept it. */
  forget(account: Account): void;
}

interface Stored extends ServiceAccountToken {
  readonly pod: PodIdentity;
}

const sponsorTokenKind: RuntimeKind<Stored> = { name: 'sponsor-token', sealed: true };
const expirationSeconds = 3_600;
/** Pods of one account that are tried in a row. */
const maxAttempts = 4;
/** Of its life; what is left is for a link that is down. */
const renewedAfter = 0.8;

const keyOf = ({ namespace, serviceAccount }: Account): string => `${namespace}/${serviceAccount}`;

class StoredTokens implements SponsorTokens {
  readonly #deps: SponsorTokensDeps;
  /** Many coverages need the same token at the same time. */
  readonly #renewals = createSingleFlight<void>();

  constructor(deps: SponsorTokensDeps) {
    this.#deps = deps;
  }

  async token(account: Account, signal: AbortSignal): Promise<string> {
    if (!this.#isFresh(this.#usable(account))) {
      await this.#renewals.run(keyOf(account), signal, (inner) => this.#renew(account, inner));
    }
    const stored = this.#usable(account);
    if (stored !== undefined) return stored.token;
    const message = `the token of ${keyOf(account)} has expired`;
    throw new SelvedgeError(message, { code: 'Unavailable' });
  }

  forget(account: Account): void {
    this.#deps.documents.delete(sponsorTokenKind, keyOf(account));
  }

  #usable(account: Account): Stored | undefined {
    const { documents, hasPod, clock } = this.#deps;
    const stored = documents.get(sponsorTokenKind, keyOf(account));
    if (stored === undefined || !hasPod(stored.pod)) return undefined;
    return stored.expiresAtMs > clock.now() ? stored : undefined;
  }

  #isFresh(stored: Stored | undefined): boolean {
    if (stored === undefined) return false;
    const restMs = (1 - renewedAfter) * stored.lifetimeSeconds * 1_000;
    return this.#deps.clock.now() < stored.expiresAtMs - restMs;
  }

  /** What is left of the old one is used where there is no new one. */
  async #renew(account: Account, signal: AbortSignal): Promise<void> {
    const old = this.#usable(account);
    try {
      await this.#request(account, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (old === undefined) throw error;
    }
  }

  /** A node may ask only in the name of a pod that mounts such a token: not every pod of an account does. */
  async #request(account: Account, signal: AbortSignal): Promise<void> {
    const { documents, tokens, podsOf } = this.#deps;
    const { serviceAccount } = account;
    let refusal = new SelvedgeError(`no pod of this node uses ${keyOf(account)}`, { code: 'Forbidden' });
    for (const { namespace, name, uid } of [...podsOf(account)].slice(0, maxAttempts)) {
      const pod = { namespace, name, uid };
      try {
        const token = await tokens.request({ pod, serviceAccount, audiences: [], expirationSeconds }, signal);
        const document = { ...token, pod };
        documents.put(sponsorTokenKind, { key: keyOf(account), document }, { durable: false });
        return;
      } catch (error) {
        if (!hasCode(error, 'Forbidden', 'NotFound', 'Conflict')) throw error;
        refusal = error;
      }
    }
    this.forget(account);
    throw new SelvedgeError(`no token of ${keyOf(account)}`, { code: 'Forbidden', cause: refusal });
  }
}

export function createSponsorTokens(deps: SponsorTokensDeps): SponsorTokens {
  return new StoredTokens(deps);
}
