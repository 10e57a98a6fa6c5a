import { BoundedMap, type Clock, FairMap } from '@selvedge/kit';

/** What one member of a unit says about another. */
export interface Testimony {
  readonly subject: string;
  readonly witness: string;
  /** Whether the subject's kubelet was alive. Not whether its hub was: pods need the kubelet. */
  readonly alive: boolean;
  /** How long ago the witness looked, in milliseconds: its clock is not believed, its stopwatch is. */
  readonly ageMs: number;
}

export interface TestimoniesOptions {
  /** For how long what was seen counts, in milliseconds. */
  readonly validMs: number;
}

interface Seen {
  readonly alive: boolean;
  readonly atMs: number;
}

/** Since when and until when a witness has been heard without a longer break. */
interface Heard {
  readonly sinceMs: number;
  readonly lastMs: number;
}

/** A node with all it may say about the largest unit that there can be; of such units there are few. */
const limits = { testimonies: 65_536, ofOneWitness: 1_000, witnesses: 65_536 };

const keyOf = (subject: string, witness: string): string => `${subject}/${witness}`;

/** What nodes have said about each other, for as long as it counts. In memory: what is not said again is forgotten. */
export class Testimonies {
  readonly #validMs: number;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #seen = new FairMap<string, Seen>({
    capacity: limits.testimonies,
    capacityPerOwner: limits.ofOneWitness,
  });
  readonly #heard = new BoundedMap<string, Heard>({ capacity: limits.witnesses });

  constructor({ validMs }: TestimoniesOptions, clock: Pick<Clock, 'monotonicMs'>) {
    this.#validMs = validMs;
    this.#clock = clock;
  }

  /** Who was allowed to say so is for the caller to judge. An older one than what is known is not taken. */
  add({ subject, witness, alive, ageMs }: Testimony): void {
    const now = this.#clock.monotonicMs();
    const heard = this.#heard.get(witness);
    const sinceMs = heard !== undefined && now - heard.lastMs <= this.#validMs ? heard.sinceMs : now;
    this.#heard.set(witness, { sinceMs, lastMs: now });
    const key = keyOf(subject, witness);
    const atMs = now - Math.max(0, ageMs);
    if ((this.#seen.get(key)?.atMs ?? Number.NEGATIVE_INFINITY) > atMs) return;
    this.#seen.set(witness, key, { alive, atMs });
  }

  /** What that witness says about the subject; undefined: nothing that counts. */
  of(subject: string, witness: string): 'alive' | 'dead' | undefined {
    const seen = this.#seen.get(keyOf(subject, witness));
    if (seen === undefined || this.#clock.monotonicMs() - seen.atMs > this.#validMs) return undefined;
    return seen.alive ? 'alive' : 'dead';
  }

  /** Since when this node is known to witness, about whomever; undefined: it is not. */
  witnessesSinceMs(witness: string): number | undefined {
    const heard = this.#heard.get(witness);
    if (heard === undefined || this.#clock.monotonicMs() - heard.lastMs > this.#validMs) return undefined;
    return heard.sinceMs;
  }
}
