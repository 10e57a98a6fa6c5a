import { raceAbort } from '@selvedge/kit';
import type { Opener } from '../session/opener.ts';
import type { Session } from '../session/session.ts';
import type { Direction } from '../types.ts';

/** A session, and what opens streams in it if that is for this end. */
export interface Held {
  readonly session: Session;
  readonly opener: Opener | undefined;
}

const isUsable = ({ session, opener }: Held): boolean =>
  opener !== undefined && (session.state.kind === 'live' || session.state.kind === 'provisional');

/**
 * The sessions of one peer. One of the reverse ones is live and gets the streams: the eldest, until it is dead or drains,
 * for a second one may be another machine's with a stolen key, or the same one's whose cut was not noticed here yet. When
 * a second comes the elder ones are asked for a sign of life; meanwhile streams wait.
 */
export class Peer {
  readonly #held = new Set<Held>();
  #asking: Promise<void> | undefined;

  get held(): ReadonlySet<Held> {
    return this.#held;
  }

  count(direction: Direction): number {
    return [...this.#held].filter(({ session }) => session.facts.direction === direction).length;
  }

  /** Whether there is a session that takes streams. */
  get usable(): boolean {
    return [...this.#held].some(isUsable);
  }

  /** Takes a session; one of reverse is provisional. */
  add(held: Held): void {
    const elders = [...this.#held].filter(isUsable);
    this.#held.add(held);
    if (held.opener === undefined) return;
    if (elders.length === 0) this.settle();
    else this.#ask(elders);
  }

  remove(held: Held): void {
    this.#held.delete(held);
  }

  /** Without a live session the newest that waits takes its place. Called after each change of a state. */
  settle(): void {
    const usable = [...this.#held].filter(isUsable);
    if (usable.some(({ session }) => session.state.kind === 'live')) return;
    usable.at(-1)?.session.promote();
  }

  /** What opens the next stream, if there is a session for it. Rejects with the signal's reason. */
  async pick(signal: AbortSignal): Promise<Opener | undefined> {
    while (this.#asking !== undefined) await raceAbort(this.#asking, signal);
    const live = [...this.#held].filter(isUsable).find(({ session }) => session.state.kind === 'live');
    return live?.opener;
  }

  #ask(elders: readonly Held[]): void {
    const asking = Promise.all(elders.map(({ session }) => session.prove())).then(() => {
      if (this.#asking === asking) this.#asking = undefined;
    });
    this.#asking = asking;
  }
}
