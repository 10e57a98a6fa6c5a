import type { Clock } from '@selvedge/kit';

/** A kubelet beats every 5 minutes: the third one goes up. */
const defaultEveryMs = 14 * 60_000;

/**
 * When the cloud was last told that the own Node's status is what it was. It goes by the Lease and needs to hear so only
 * now and then; somebody may wait for the first one of a kubelet that has just started. Source: KEP-589.
 */
export class Heartbeats {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #everyMs: number;
  #toldMs = -Infinity;

  constructor(options: { readonly everyMs?: number }, deps: { readonly clock: Pick<Clock, 'monotonicMs'> }) {
    this.#everyMs = options.everyMs ?? defaultEveryMs;
    this.#clock = deps.clock;
  }

  get due(): boolean {
    return this.#clock.monotonicMs() - this.#toldMs >= this.#everyMs;
  }

  /** The cloud was told. */
  told(): void {
    this.#toldMs = this.#clock.monotonicMs();
  }

  /** The kubelet has started. */
  begin(): void {
    this.#toldMs = -Infinity;
  }
}
