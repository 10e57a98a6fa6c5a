import {
  type Clock,
  type Limiter,
  type Logger,
  type Poke,
  type Random,
  createLimiter,
  createPoke,
} from '@selvedge/kit';
import type { Authorizer } from './authorizer.ts';
import type { KeptQuestions } from './kept-questions.ts';
import type { Operators } from './operators.ts';
import type { Question } from './questions.ts';

export interface RecheckDeps {
  readonly kept: KeptQuestions;
  readonly authorizer: Pick<Authorizer, 'ask' | 'untilDueMs' | 'withdraw'>;
  readonly operators: Operators;
  /** The cloud is known to be in reach. */
  readonly online: () => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Questions under way at a time. */
const maxParallel = 4;
/** After a round in which not everything was answered. */
const retryMs = 30_000;
/** So that questions that get old one after another are asked together. */
const gatherMs = 1_000;

/** Asks again what is in use and old, as long as the cloud is in reach. */
export class Recheck {
  readonly #deps: RecheckDeps;
  readonly #poke: Poke;
  readonly #limiter: Limiter = createLimiter({ capacity: maxParallel });

  constructor(deps: RecheckDeps) {
    this.#deps = deps;
    this.#poke = createPoke(deps.clock);
  }

  keep(question: Question): Disposable {
    const hold = this.#deps.kept.hold(question);
    this.#poke.poke();
    return hold;
  }

  /** The cloud is back. */
  poke(): void {
    this.#poke.poke();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const waitMs = this.#deps.online() ? await this.#round(signal) : undefined;
      await this.#poke.wait(waitMs, signal);
    }
  }

  /** How long until the next; undefined: until something changes. */
  async #round(signal: AbortSignal): Promise<number | undefined> {
    const { kept, authorizer, random } = this.#deps;
    const due = kept.values().filter((question) => authorizer.untilDueMs(question) === 0);
    const done = await Promise.all(
      due.map((question) => this.#limiter.run(signal, () => this.#check(question, signal))),
    );
    if (done.includes(false)) return retryMs * (1 + random());
    const left = kept.values().map((question) => authorizer.untilDueMs(question));
    return left.length === 0 ? undefined : Math.min(...left) + gatherMs;
  }

  async #check(question: Question, signal: AbortSignal): Promise<boolean> {
    const { authorizer, operators, log } = this.#deps;
    if (operators.includes(question.user)) {
      if (!operators.decide(question.user, question.attributes).allowed) authorizer.withdraw(question);
      return true;
    }
    try {
      return (await authorizer.ask(question, signal)) !== undefined;
    } catch (error) {
      signal.throwIfAborted();
      log.warn('access not asked again', { user: question.user.username, error });
      return false;
    }
  }
}
