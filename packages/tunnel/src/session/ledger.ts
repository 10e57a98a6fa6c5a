import { SelvedgeError, createTaskGroup, type Clock } from '@selvedge/kit';

/** Something that may hold bytes which nobody takes: a stream, or a session with what is unsent of it. */
export interface Holder {
  /** The session that it belongs to, or is. */
  readonly owner: object;
  readonly heldBytes: number;
  destroy(error: Error): unknown;
}

export interface LedgerOptions {
  /** Held bytes in all. */
  readonly maxBytes: number;
  /** Of one owner. */
  readonly maxSessionBytes: number;
  /** How often it is looked, while anything is held, in milliseconds. Default 100. */
  readonly lookMs?: number;
}

export interface LedgerDeps {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Told of each that was cut. */
  readonly onCut: (heldBytes: number) => void;
}

/** Who holds bytes that wait: streams whose reader, or whose other end, does not keep up, and sessions that nobody reads. */
export interface Ledger {
  /** Bytes held now. */
  readonly heldBytes: number;
  /** It holds something; it is counted as long as it does. */
  hold(holder: Holder): void;
  /** It is gone. */
  forget(holder: Holder): void;
  close(): Promise<void>;
}

interface Share {
  readonly holder: Holder;
  readonly bytes: number;
}

/** The largest of `shares`, until the rest fits. */
function largest(shares: readonly Share[], maxBytes: number): readonly Share[] {
  let sum = shares.reduce((total, { bytes }) => total + bytes, 0);
  if (sum <= maxBytes) return [];
  const cut: Share[] = [];
  for (const share of shares.toSorted((a, b) => b.bytes - a.bytes)) {
    if (sum <= maxBytes) break;
    cut.push(share);
    sum -= share.bytes;
  }
  return cut;
}

/** Those to cut so that what is left fits: of each owner that has too much, then of all. Pure. */
export function overCap(
  holders: Iterable<Holder>,
  { maxBytes, maxSessionBytes }: Pick<LedgerOptions, 'maxBytes' | 'maxSessionBytes'>,
): readonly Holder[] {
  const shares = Array.from(holders, (holder) => ({ holder, bytes: holder.heldBytes }));
  const owners = Map.groupBy(shares, ({ holder }) => holder.owner);
  const own = new Set(Array.from(owners.values(), (some) => largest(some, maxSessionBytes)).flat());
  const rest = largest(
    shares.filter((share) => !own.has(share)),
    maxBytes,
  );
  return [...own, ...rest].map(({ holder }) => holder);
}

/**
 * Keeps the sum of what is held under a cap: over it what holds most is cut with `ResourceExhausted`. Node says nothing
 * when bytes come for a stream that is paused, so it looks now and then, as long as anything is held.
 */
export function createLedger(options: LedgerOptions, deps: LedgerDeps): Ledger {
  const { lookMs = 100 } = options;
  const waiting = new Set<Holder>();
  const tasks = createTaskGroup({ name: 'ledger' }, { onFailure: () => undefined });
  let looking = false;
  const look = (): void => {
    for (const holder of waiting) if (holder.heldBytes === 0) waiting.delete(holder);
    for (const holder of overCap(waiting, options)) {
      const { heldBytes } = holder;
      waiting.delete(holder);
      deps.onCut(heldBytes);
      const message = `it was cut while ${heldBytes} bytes of it waited and all together were too many`;
      holder.destroy(new SelvedgeError(message, { code: 'ResourceExhausted' }));
    }
  };
  const watch = async (signal: AbortSignal): Promise<void> => {
    try {
      while (waiting.size > 0) {
        await deps.clock.sleep(lookMs, signal);
        look();
      }
    } finally {
      looking = false;
    }
  };
  return {
    get heldBytes() {
      return Array.from(waiting).reduce((sum, holder) => sum + holder.heldBytes, 0);
    },
    hold(holder) {
      waiting.add(holder);
      if (looking) return;
      looking = true;
      tasks.run('look', watch);
    },
    forget: (holder) => void waiting.delete(holder),
    close: () => tasks.stop(),
  };
}
