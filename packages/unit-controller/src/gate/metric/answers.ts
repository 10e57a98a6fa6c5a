import { BoundedMap } from '@selvedge/kit';
import type { MetricReading } from './reading.ts';

export interface AnswersOptions {
  /** How old an answer is when it is asked for again, in milliseconds. */
  readonly freshMs: number;
  /** How long a number counts while no newer one comes, in milliseconds. */
  readonly holdMs: number;
  readonly maxAnswers: number;
}

interface Answer {
  /** Of the question that is under way; undefined: none is. */
  readonly isAsked: boolean;
  readonly last?: Timed | undefined;
  readonly lastNumber?: Timed | undefined;
}

interface Timed {
  readonly reading: MetricReading;
  readonly atMs: number;
}

function isSame(one: MetricReading | undefined, other: MetricReading | undefined): boolean {
  if (one?.kind === 'number' && other?.kind === 'number') return one.text === other.text;
  if (one?.kind === 'unknown' && other?.kind === 'unknown') return one.why === other.why;
  return one === other;
}

/** What servers said last. Moments are of one monotonic clock. */
export class Answers {
  readonly #options: AnswersOptions;
  readonly #answers: BoundedMap<string, Answer>;

  constructor(options: AnswersOptions) {
    this.#options = options;
    this.#answers = new BoundedMap({ capacity: options.maxAnswers });
  }

  /** The last number, as long as it counts; else what else was said. One question that fails changes nothing. */
  read(key: string, nowMs: number): MetricReading | undefined {
    const { last, lastNumber } = this.#answers.get(key) ?? {};
    const counts = (one: Timed | undefined): one is Timed =>
      one !== undefined && nowMs - one.atMs < this.#options.holdMs;
    if (counts(lastNumber)) return lastNumber.reading;
    return counts(last) ? last.reading : undefined;
  }

  isDue(key: string, nowMs: number): boolean {
    const { isAsked = false, last } = this.#answers.get(key) ?? {};
    return !isAsked && (last === undefined || nowMs - last.atMs >= this.#options.freshMs);
  }

  asked(key: string): void {
    this.#answers.set(key, { ...this.#answers.get(key), isAsked: true });
  }

  /** Whether there is something else to read now. */
  answered(key: string, reading: MetricReading, nowMs: number): boolean {
    const before = this.read(key, nowMs);
    const last = { reading, atMs: nowMs };
    const lastNumber = reading.kind === 'number' ? last : this.#answers.get(key)?.lastNumber;
    this.#answers.set(key, { isAsked: false, last, lastNumber });
    return !isSame(before, this.read(key, nowMs));
  }
}
