import { isLoopback } from '../../listen/index.ts';
import { statusError } from '../answers/index.ts';

/** For whom bytes are held. */
export interface Holder {
  readonly user: string;
  readonly remoteAddress: string;
  /** This node's own kubelet, for whom a part is reserved. */
  readonly isNode: boolean;
}

/** Bytes in memory that count until they are disposed. */
export interface HeldBytes extends Disposable {
  /** Throws 429 when there is no room for so many more. */
  grow(bytes: number): void;
}

/** Memory that clients make the hub hold: nobody can take the whole of it. */
export interface ByteShares {
  hold(holder: Holder): HeldBytes;
}

export interface ByteSharesOptions {
  /** What is held, for the message. */
  readonly what: string;
  readonly maxBytes: number;
  /** Of one user, and of one pod's address. The first of them fits, whatever its size, if there is room at all. */
  readonly maxBytesEach: number;
  /** What is left of `maxBytes` for the node's own kubelet. */
  readonly reservedBytes: number;
}

export function createByteShares(options: ByteSharesOptions): ByteShares {
  const { what, maxBytes, maxBytesEach, reservedBytes } = options;
  const held = new Map<string, number>();
  const capsFor = ({ user, remoteAddress, isNode }: Holder): readonly (readonly [string, number])[] => {
    if (isNode) return [['all', maxBytes]];
    const caps: (readonly [string, number])[] = [
      ['all', maxBytes],
      ['others', maxBytes - reservedBytes],
      [`user ${user}`, maxBytesEach],
    ];
    // Behind the loopback address are many: the agents of the node.
    return isLoopback(remoteAddress) ? caps : [...caps, [`address ${remoteAddress}`, maxBytesEach]];
  };
  const add = (key: string, bytes: number): void => {
    const sum = (held.get(key) ?? 0) + bytes;
    if (sum === 0) held.delete(key);
    else held.set(key, sum);
  };
  return {
    hold(holder) {
      const caps = capsFor(holder);
      let own = 0;
      return {
        grow(bytes) {
          if (bytes === 0) return;
          const full = caps.find(([key, cap]) => {
            const before = held.get(key) ?? 0;
            return before > 0 && before + bytes > cap;
          });
          if (full !== undefined) {
            const message = `too many bytes of ${what} are held for ${full[0]}`;
            throw statusError('ResourceExhausted', message, { retryAfterSeconds: 1 });
          }
          own += bytes;
          for (const [key] of caps) add(key, bytes);
        },
        [Symbol.dispose]() {
          for (const [key] of caps) add(key, -own);
          own = 0;
        },
      };
    },
  };
}
