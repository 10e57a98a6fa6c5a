import {
  type Clock,
  type Logger,
  SelvedgeError,
  type SingleFlight,
  createListeners,
  createSingleFlight,
} from '@selvedge/kit';
import { type KubeClient, reviewAccess } from '@selvedge/kube';
import type { UserInfo } from '../request.ts';
import type { Decisions } from './decisions.ts';
import type { AccessMetrics } from './metrics.ts';
import {
  type Question,
  isDiscovery,
  instanceOf,
  keyOfQuestion,
  kindredQuestions,
  widerQuestion,
} from './questions.ts';
import { cannotAsk } from './cannot-ask.ts';
import type { Attributes, Decision } from './types.ts';

export interface AuthorizerDeps {
  readonly client: Pick<KubeClient, 'create'>;
  /** False: known to be out of reach. */
  readonly online: () => boolean;
  readonly decisions: Decisions;
  readonly newUid: () => string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Pick<AccessMetrics, 'reviews' | 'decisions' | 'withdrawn'>;
}

const discovery: Decision = { allowed: true, reason: 'discovery is open to everybody who is authenticated' };

const outcomeOf = ({ allowed }: Decision): string => (allowed ? 'allowed' : 'denied');

/** Asks the API server who may do what, and remembers. */
export class Authorizer {
  readonly #deps: AuthorizerDeps;
  readonly #withdrawn;
  readonly #flights: SingleFlight<Decision> = createSingleFlight();

  constructor(deps: AuthorizerDeps) {
    this.#deps = deps;
    this.#withdrawn = createListeners<Question>(deps.log);
  }

  /** A decision that is younger than `maxAgeMs`, if the cloud is in reach; else the last one, else `Unavailable`. */
  async decide(question: Question, maxAgeMs: number, signal: AbortSignal): Promise<Decision> {
    if (isDiscovery(question)) return discovery;
    const young = this.#remembered(question, maxAgeMs);
    if (young !== undefined) return this.#counted('remembered', young);
    const fresh = this.#deps.online() ? await this.#askWidely(question, maxAgeMs, signal) : undefined;
    if (fresh !== undefined) return this.#counted('asked', fresh);
    const last = this.#remembered(question, Infinity);
    if (last !== undefined) return this.#counted('stale', last);
    const message = `whether ${question.user.username} may do this was never asked while the cloud was in reach`;
    throw new SelvedgeError(message, { code: 'Unavailable' });
  }

  /** Tells that what somebody was allowed is denied now. */
  withdraw(question: Question): void {
    const { user, attributes } = question;
    this.#deps.metrics.withdrawn.add();
    this.#deps.log.info('access withdrawn', { user: user.username, ...attributes });
    this.#withdrawn.tell(question);
  }

  onWithdrawn(withdrawn: (user: UserInfo, attributes: Attributes) => void): Disposable {
    return this.#withdrawn.add(({ user, attributes }) => withdrawn(user, attributes));
  }

  /**
   * Many objects that somebody gets one by one are one question, if he may get all of them; else, as with the Node
   * authorizer and rules that name objects, one for each name and one more.
   */
  async #askWidely(question: Question, maxAgeMs: number, signal: AbortSignal): Promise<Decision | undefined> {
    const every = question.attributes.verb === 'get' ? widerQuestion(question) : undefined;
    if (every === undefined || this.#recall(every, maxAgeMs) !== undefined)
      return this.#ask(question, signal);
    const decision = await this.#ask(every, signal);
    return decision?.allowed === false ? this.#ask(question, signal) : decision;
  }

  /** The API server's decision of now; undefined if it does not give one. */
  async #ask(question: Question, signal: AbortSignal): Promise<Decision | undefined> {
    const key = keyOfQuestion(question);
    try {
      return await this.#flights.run(key, signal, (inner) => this.#review(key, question, inner));
    } catch (error) {
      signal.throwIfAborted();
      if (cannotAsk(error)) return undefined;
      throw error;
    }
  }

  #counted(source: 'asked' | 'remembered' | 'stale', decision: Decision): Decision {
    this.#deps.metrics.decisions.add({ source, outcome: outcomeOf(decision) });
    return decision;
  }

  /** The decision itself, or the yes to a wider question if that is the later one, younger than `maxAgeMs`. */
  #remembered(question: Question, maxAgeMs: number): Decision | undefined {
    const own = this.#recall(question, maxAgeMs);
    const wider = widerQuestion(question);
    const wide = wider === undefined ? undefined : this.#recall(wider, maxAgeMs);
    if (wider === undefined || wide?.allowed !== true) return own;
    return own === undefined || this.#ageMs(wider) < this.#ageMs(question) ? wide : own;
  }

  #ageMs(question: Question): number {
    return this.#deps.decisions.ageMs(keyOfQuestion(question));
  }

  #recall(question: Question, maxAgeMs: number): Decision | undefined {
    const { decisions } = this.#deps;
    const key = keyOfQuestion(question);
    return decisions.ageMs(key) < maxAgeMs ? decisions.get(key) : undefined;
  }

  /** He may not any more; nor, likely, read the same in other ways, about which is to be asked again. */
  #lost(question: Question): void {
    const others = kindredQuestions(question).map(keyOfQuestion);
    for (const key of others) if (key !== keyOfQuestion(question)) this.#deps.decisions.doubt(key);
    this.withdraw(question);
  }

  async #review(key: string, question: Question, signal: AbortSignal): Promise<Decision> {
    const { decisions, metrics } = this.#deps;
    try {
      const decision = await this.#reviewed(question, signal);
      const before = this.#remembered(question, Infinity);
      decisions.put(question.user, key, decision);
      if (before?.allowed === true && !decision.allowed) this.#lost(question);
      return decision;
    } catch (error) {
      metrics.reviews.add({ kind: 'access', outcome: 'failed' });
      throw error;
    }
  }

  /**
   * A rule for the object with the empty name, a slip in a template, allows RBAC's `get` without a name, and `get` of
   * nothing. It is not taken for one for all: that one allows a name, too, which nobody can have written into a rule.
   */
  async #reviewed(question: Question, signal: AbortSignal): Promise<Decision> {
    const decision = await this.#reviewOnce(question, signal);
    const proof = decision.allowed ? instanceOf(question, this.#deps.newUid()) : undefined;
    return proof === undefined ? decision : this.#reviewOnce(proof, signal);
  }

  async #reviewOnce(question: Question, signal: AbortSignal): Promise<Decision> {
    const { client, metrics } = this.#deps;
    const decision = await reviewAccess(client, question, signal);
    metrics.reviews.add({ kind: 'access', outcome: outcomeOf(decision) });
    return decision;
  }
}
