import { type Clock, FairMap } from '@selvedge/kit';
import type { RuntimeKind, RuntimeRepository } from '../../store/index.ts';
import type { UserInfo } from '../request.ts';
import type { Decision } from './types.ts';

interface Saved extends Decision {
  /** Milliseconds since the epoch. */
  readonly askedAtMs: number;
  /** The user name. */
  readonly of?: string;
}

/** A decision and when the API server made it. */
interface Remembered extends Saved {
  /** What the disk says of it. */
  readonly savedAtMs: number;
}

export interface DecisionsOptions {
  readonly maxDecisions: number;
  /** About one user. */
  readonly maxDecisionsPerUser: number;
  /** Name of the user whose decisions those about others do not push out. */
  readonly reserved: string;
}

export interface DecisionsDeps {
  readonly runtime: RuntimeRepository;
  readonly clock: Pick<Clock, 'now'>;
}

const decisionKind: RuntimeKind<Saved> = { name: 'hub-decision' };
/** A decision that only got younger is written this often at most. */
const rewriteMs = 3_600_000;

/** The API server's decisions by their questions' keys, in memory and on disk. */
export class Decisions {
  readonly #deps: DecisionsDeps;
  readonly #held: FairMap<string, Remembered>;

  constructor(options: DecisionsOptions, deps: DecisionsDeps) {
    this.#deps = deps;
    this.#held = new FairMap({
      capacity: options.maxDecisions,
      capacityPerOwner: options.maxDecisionsPerUser,
      isReserved: (owner) => owner === options.reserved,
      onEvict: (key) => void deps.runtime.delete(decisionKind, key),
    });
  }

  get size(): number {
    return this.#held.size;
  }

  load(): void {
    const entries = this.#deps.runtime.list(decisionKind);
    for (const { key, document } of entries.toSorted((a, b) => a.document.askedAtMs - b.document.askedAtMs)) {
      this.#held.set(document.of ?? '', key, { ...document, savedAtMs: document.askedAtMs });
    }
  }

  get(key: string): Decision | undefined {
    return this.#held.get(key);
  }

  /** Milliseconds since it was made; very old if the clock was set back since. */
  ageMs(key: string): number {
    const age = this.#deps.clock.now() - (this.#held.get(key)?.askedAtMs ?? 0);
    return age >= 0 ? age : Number.MAX_VALUE;
  }

  /** It may have changed with another: it is to be asked for again, and counts where nobody can be asked. */
  doubt(key: string): void {
    const held = this.#held.get(key);
    if (held !== undefined) this.#held.set(held.of ?? '', key, { ...held, askedAtMs: 0 });
  }

  put({ username }: UserInfo, key: string, { allowed, reason }: Decision): void {
    const before = this.#held.get(key);
    const askedAtMs = this.#deps.clock.now();
    const saved = { allowed, reason, askedAtMs, of: username };
    const same = before?.allowed === allowed && before.reason === reason;
    if (same && Math.abs(askedAtMs - before.savedAtMs) < rewriteMs) {
      this.#held.set(username, key, { ...saved, savedAtMs: before.savedAtMs });
      return;
    }
    this.#held.set(username, key, { ...saved, savedAtMs: askedAtMs });
    this.#deps.runtime.put(decisionKind, { key, document: saved }, { durable: false });
  }
}
