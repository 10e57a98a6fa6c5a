import { BoundedMap, type Clock, type Limiter, SelvedgeError, createLimiter, hasCode } from '../index.ts';
import type { StrangerLimits } from './limits.ts';
import { sourceOf } from './source.ts';

/** Who a stranger is may be a question to the cloud: how many of them each address can cause. */
export interface Strangers {
  /** Rejects with `ResourceExhausted` instead of asking when too many of the address wait, or too many were refused lately. */
  ask<T>(remoteAddress: string, signal: AbortSignal, question: () => Promise<T>): Promise<T>;
}

const maxSources = 1_024;

/** One address. A refusal is forgiven after a time, one after the other. */
class Source {
  readonly limiter: Limiter;
  readonly #limits: StrangerLimits;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #refusals = 0;
  #sinceMs = 0;

  constructor(limits: StrangerLimits, clock: Pick<Clock, 'monotonicMs'>) {
    this.limiter = createLimiter({ capacity: limits.maxAuthentications });
    this.#limits = limits;
    this.#clock = clock;
  }

  checkRefusals(): void {
    if (this.#remembered() + 1 > this.#limits.maxRefusals) this.#refuse('were refused');
  }

  checkWaiting(): void {
    if (this.limiter.waiting >= this.#limits.maxAuthenticationsWaiting) this.#refuse('wait');
  }

  refused(): void {
    this.#refusals = this.#remembered() + 1;
    this.#sinceMs = this.#clock.monotonicMs();
  }

  #refuse(why: string): never {
    const message = `too many unknown tokens of this address ${why}`;
    throw new SelvedgeError(message, { code: 'ResourceExhausted', details: { retryAfterSeconds: 1 } });
  }

  #remembered(): number {
    const agoMs = this.#clock.monotonicMs() - this.#sinceMs;
    return Math.max(0, this.#refusals - agoMs / this.#limits.forgiveRefusalMs);
  }
}

export function createStrangers(
  limits: StrangerLimits,
  { clock }: { readonly clock: Pick<Clock, 'monotonicMs'> },
): Strangers {
  const sources = new BoundedMap<string, Source>({ capacity: maxSources });
  const sourceFor = (remoteAddress: string): Source => {
    const key = sourceOf(remoteAddress);
    const source = sources.get(key) ?? new Source(limits, clock);
    sources.set(key, source);
    return source;
  };
  return {
    async ask(remoteAddress, signal, question) {
      const source = sourceFor(remoteAddress);
      source.checkWaiting();
      return source.limiter.run(signal, async () => {
        source.checkRefusals();
        try {
          return await question();
        } catch (error) {
          if (hasCode(error, 'Unauthenticated')) source.refused();
          throw error;
        }
      });
    },
  };
}
