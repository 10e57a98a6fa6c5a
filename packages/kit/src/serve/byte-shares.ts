import { SelvedgeError } from '../index.ts';
import { isLoopback } from '../net/ip-ranges.ts';
import { createTurns } from './turns.ts';

/** For whom bytes are held. */
export interface Holder {
  readonly user: string;
  readonly remoteAddress: string;
  /** Somebody for whom a part is reserved. */
  readonly isReserved: boolean;
}

/** Bytes in memory that count until they are disposed. */
export interface HeldBytes extends Disposable {
  /** Throws 429 when there is no room for so many more. */
  grow(bytes: number): void;
  /** Waits for the room, behind others of the same user that wait; with 429 when too many do. */
  growInTurn(bytes: number, signal: AbortSignal): Promise<void>;
}

/** Memory that clients make a server hold: nobody can take the whole of it. */
export interface ByteShares {
  /**
   * `cut`: what is held may be let go of to make room for others, and then counts no longer. Of those whose share is full
   * (of the user with most where it is everybody's) the one goes that has held something for longest.
   */
  hold(holder: Holder, cut?: (why: SelvedgeError) => void): HeldBytes;
}

export interface ByteSharesOptions {
  /** What is held, for the message. */
  readonly what: string;
  readonly maxBytes: number;
  /** Of one user, and of one address. The first of them fits, whatever its size, if there is room at all. */
  readonly maxBytesEach: number;
  /** What is left of `maxBytes` for those for whom it is reserved. */
  readonly reservedBytes: number;
  /** Holders that wait for room at a time. Default 1,000. */
  readonly maxWaiting?: number;
}

type Cap = readonly [key: string, bytes: number];

/** What holds something and may be cut. */
interface Loose {
  readonly user: string;
  readonly caps: readonly Cap[];
  readonly cut: (why: SelvedgeError) => void;
}

const userKey = (user: string): string => `user ${user}`;

/** How much is held under each key. */
class Sums {
  readonly #held = new Map<string, number>();

  of(key: string): number {
    return this.#held.get(key) ?? 0;
  }

  add(caps: readonly Cap[], bytes: number): void {
    for (const [key] of caps) {
      const sum = this.of(key) + bytes;
      if (sum === 0) this.#held.delete(key);
      else this.#held.set(key, sum);
    }
  }

  /** The key under which there is no room for so many more. */
  full(caps: readonly Cap[], bytes: number): string | undefined {
    return caps.find(([key, cap]) => this.of(key) > 0 && this.of(key) + bytes > cap)?.[0];
  }
}

function capsOf({ user, remoteAddress, isReserved }: Holder, options: ByteSharesOptions): readonly Cap[] {
  const { maxBytes, maxBytesEach, reservedBytes } = options;
  const all: Cap = ['all', maxBytes];
  if (isReserved) return [all, [userKey(user), maxBytes]];
  const caps: Cap[] = [all, ['others', maxBytes - reservedBytes], [userKey(user), maxBytesEach]];
  // Behind the loopback address are many: the agents of a node.
  return isLoopback(remoteAddress) ? caps : [...caps, [`address ${remoteAddress}`, maxBytesEach]];
}

export function createByteShares(options: ByteSharesOptions): ByteShares {
  const sums = new Sums();
  const { what, maxWaiting = 1_000 } = options;
  const turns = createTurns({ what: `room for ${what}`, capacity: maxWaiting });
  /** In the order in which they began to hold what they hold. */
  const loose = new Set<Loose>();
  const victimOf = (full: string): Loose | undefined => {
    const among = [...loose].filter(({ caps }) => caps.some(([key]) => key === full));
    const most = Math.max(...among.map(({ user }) => sums.of(userKey(user))));
    return among.find(({ user }) => sums.of(userKey(user)) === most);
  };
  const makeRoom = (caps: readonly Cap[], bytes: number): void => {
    for (let full = sums.full(caps, bytes); full !== undefined; full = sums.full(caps, bytes)) {
      const message = `too many bytes of ${options.what} are held for ${full}`;
      const details = { retryAfterSeconds: 1 };
      const tooMany = new SelvedgeError(message, { code: 'ResourceExhausted', details });
      const victim = victimOf(full);
      if (victim === undefined) throw tooMany;
      victim.cut(tooMany);
    }
  };
  const hold: ByteShares['hold'] = (holder, cut) => {
    const caps = capsOf(holder, options);
    let own = 0;
    const dispose = (): void => {
      sums.add(caps, -own);
      own = 0;
      loose.delete(self);
      turns.again();
    };
    const self: Loose = {
      user: holder.user,
      caps,
      cut(why) {
        dispose();
        cut?.(why);
      },
    };
    const take = (bytes: number): void => {
      own += bytes;
      sums.add(caps, bytes);
      if (cut !== undefined) loose.add(self);
    };
    const fits = (bytes: number): boolean => {
      if (sums.full(caps, bytes) !== undefined) return false;
      take(bytes);
      return true;
    };
    return {
      grow(bytes) {
        if (bytes === 0) return;
        makeRoom(caps, bytes);
        take(bytes);
      },
      growInTurn: (bytes, signal) => turns.wait(holder.user, () => fits(bytes), signal),
      [Symbol.dispose]: dispose,
    };
  };
  return { hold };
}
