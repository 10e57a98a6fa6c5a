import { type Clock, type Logger, type MetricsRegistry, limitRepeats } from '@selvedge/kit';
import type { AnswerMemory } from './tokens/types.ts';

/** Keeps something of an answer for later. Never throws: the answer is given all the same. Undefined: it was not kept. */
export type Keep = <T>(what: 'object' | 'replica' | 'review' | 'token', keep: () => T) => T | undefined;

export interface KeepDeps {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

const repeatWindowMs = 60_000;

export function createKeep({ clock, log, metrics }: KeepDeps): Keep {
  const limited = limitRepeats({ windowMs: repeatWindowMs }, { clock, log });
  const lost = metrics.counter({
    name: 'selvedge_hub_answers_not_kept_total',
    help: 'Answers of the API server of which nothing could be kept for the time when it is away, by kind (object, replica, review, token).',
  });
  return (what, keep) => {
    try {
      return keep();
    } catch (error) {
      lost.add({ what });
      limited.warn('an answer was not kept', { what, error });
      return undefined;
    }
  };
}

/** What the memory is told of an answer never fails the answer. */
export function carefully(memory: AnswerMemory, what: Parameters<Keep>[0], keep: Keep): AnswerMemory {
  return {
    heard: (...answer) => keep(what, () => memory.heard(...answer)),
    recall: (...asked) => memory.recall(...asked),
  };
}
