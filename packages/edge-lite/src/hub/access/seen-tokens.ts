import { BoundedMap, type Clock } from '@selvedge/kit';
import type { RuntimeKind, RuntimeRepository } from '../../store/index.ts';
import type { UserInfo } from '../request.ts';

/** The API server once said that this token is this user's. */
interface Seen {
  readonly user: UserInfo;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

export interface SeenTokensDeps {
  readonly runtime: RuntimeRepository;
  readonly clock: Pick<Clock, 'now'>;
}

const seenKind: RuntimeKind<Seen> = { name: 'hub-seen-token' };
/** To have been seen again is written this often at most. */
const rewriteMs = 3_600_000;

/** Tokens that the API server accepted from a client of this hub, by their hashes, on disk. */
export class SeenTokens {
  readonly #deps: SeenTokensDeps;
  readonly #seen: BoundedMap<string, Seen>;

  constructor(options: { readonly maxTokens: number }, deps: SeenTokensDeps) {
    this.#deps = deps;
    this.#seen = new BoundedMap({
      capacity: options.maxTokens,
      onEvict: (hash) => void deps.runtime.delete(seenKind, hash),
    });
  }

  load(): void {
    const entries = this.#deps.runtime.list(seenKind);
    for (const { key, document } of entries.toSorted((a, b) => a.document.atMs - b.document.atMs)) {
      this.#seen.set(key, document);
    }
  }

  userOf(hash: string): UserInfo | undefined {
    return this.#seen.get(hash)?.user;
  }

  add(hash: string, user: UserInfo): void {
    const now = this.#deps.clock.now();
    const known = this.#seen.get(hash);
    if (known !== undefined && Math.abs(now - known.atMs) < rewriteMs) return;
    const document = { user, atMs: now };
    this.#seen.set(hash, document);
    this.#deps.runtime.put(seenKind, { key: hash, document }, { durable: false });
  }

  /** The API server does not accept it any more. */
  forget(hash: string): void {
    if (this.#seen.delete(hash)) this.#deps.runtime.delete(seenKind, hash);
  }
}
