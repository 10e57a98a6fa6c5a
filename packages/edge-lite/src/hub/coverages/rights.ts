import { BoundedMap, SelvedgeError, hasCode, type Clock, type Logger } from '@selvedge/kit';
import { keyOfUser } from '../access/index.ts';
import type { Access, Attributes, Decision } from '../access/types.ts';
import type { UserInfo } from '../request.ts';
import { groupResource } from '../request-info/index.ts';
import type { Hold } from './hold.ts';
import { attributesOf, specKey } from './spec.ts';
import { sponsorOf } from './sponsors.ts';
import type { Wish } from './types.ts';

export interface RightsOptions {
  /** Age at which a right is looked at again, in milliseconds. Default 5 minutes. */
  readonly recheckMs?: number;
  /** The same for configured clients, which are parts of the node as its kubelet is. Default 1 hour. */
  readonly recheckConfiguredMs?: number;
}

export interface RightsDeps {
  readonly access: Pick<Access, 'authorize' | 'reauthorize'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: Logger;
}

const maxProofs = 4_096;
const quoted = (text: string): string => JSON.stringify(text);

type Verb = NonNullable<Wish['verb']>;

const both: readonly Verb[] = ['list', 'watch'];
const verbsOf = ({ verb }: Wish): readonly Verb[] => (verb === undefined ? both : [verb]);
const keyOf = (verb: Verb, { caller, spec }: Wish): string =>
  `${keyOfUser(caller.user)} ${verb} ${specKey(spec)}`;
const keysOf = (wish: Wish): readonly string[] => verbsOf(wish).map((verb) => keyOf(verb, wish));

/** In the words of the API server. Source: k8s.io/apiserver, `responsewriters/errors.go`. */
function forbidden(
  user: UserInfo,
  attributes: ReturnType<typeof attributesOf>,
  reason: string,
): SelvedgeError {
  const { verb, group, namespace, name, resource } = attributes;
  const what = `${groupResource(attributes)}${name === '' ? '' : ` ${quoted(name)}`}`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${quoted(namespace)}`;
  const who = `User ${quoted(user.username)} cannot ${verb} resource ${quoted(resource)}`;
  const why = reason === '' ? '' : `: ${reason}`;
  const message = `${what} is forbidden: ${who} in API group ${quoted(group)} ${where}${why}`;
  return new SelvedgeError(message, { code: 'Forbidden', details: { status: 403, reason: 'Forbidden' } });
}

type Ask = (user: UserInfo, attributes: Attributes) => Promise<Decision>;

async function allowed(ask: Ask, wish: Wish): Promise<void> {
  const { user } = wish.caller;
  const questions = verbsOf(wish).map(async (verb) => {
    const attributes = attributesOf(wish.spec, verb);
    const decision = await ask(user, attributes);
    if (!decision.allowed) throw forbidden(user, attributes, decision.reason);
  });
  await Promise.all(questions);
}

/**
 * Who may list or watch what. A client opens the same watch every few minutes: what was proven is good for as long as
 * an open watch would be.
 */
export class Rights {
  readonly #options: RightsOptions;
  readonly #deps: RightsDeps;
  /** When it was proven last. */
  readonly #proofs = new BoundedMap<string, number>({ capacity: maxProofs });

  constructor(options: RightsOptions, deps: RightsDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Rejects with `Forbidden`; with `Unavailable` where nobody can tell. */
  async check(wish: Wish, signal: AbortSignal): Promise<void> {
    if (!this.isDue(wish)) return;
    const authorize: Ask = (...question) => this.#deps.access.authorize(...question, signal);
    await allowed(authorize, wish);
    this.#prove(wish);
  }

  /** Whether it was not proven, or long ago. */
  isDue(wish: Wish): boolean {
    const { recheckMs = 300_000, recheckConfiguredMs = 3_600_000 } = this.#options;
    const ageMs = wish.caller.kind === 'configured' ? recheckConfiguredMs : recheckMs;
    const now = this.#deps.clock.monotonicMs();
    return keysOf(wish).some((key) => now - (this.#proofs.get(key) ?? -Infinity) >= ageMs);
  }

  /** Ends the holds of those who may not read any more; who cannot be asked about keeps what he has. */
  async recheck(holds: readonly Hold[], signal: AbortSignal): Promise<void> {
    for (const group of Map.groupBy(holds, (hold) => keysOf(hold).join()).values()) {
      const error = await this.#refusalOf(group, signal);
      if (error !== undefined) for (const hold of group) this.#withdraw(hold, error);
    }
  }

  /** Of the same user and the same question. */
  async #refusalOf([first]: readonly Hold[], signal: AbortSignal): Promise<unknown> {
    if (first === undefined) return undefined;
    try {
      const reauthorize: Ask = (...question) => this.#deps.access.reauthorize(...question, signal);
      await allowed(reauthorize, first);
      this.#prove(first);
    } catch (error) {
      signal.throwIfAborted();
      if (hasCode(error, 'Forbidden')) return error;
      this.#deps.log.warn('right not looked at again', { coverage: specKey(first.spec), error });
    }
    return undefined;
  }

  #withdraw(hold: Hold, error: unknown): void {
    // Who lost one verb has likely lost the other, which is to be asked about.
    for (const verb of both) this.#proofs.delete(keyOf(verb, hold));
    hold.revoke(error);
    hold.coverage.doubt(sponsorOf(hold.caller));
  }

  #prove(wish: Wish): void {
    const now = this.#deps.clock.monotonicMs();
    for (const key of keysOf(wish)) this.#proofs.set(key, now);
  }
}
