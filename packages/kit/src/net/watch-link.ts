import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import { hasCode } from '../errors.ts';
import { raceAbort, withDeadline } from '../scope.ts';

export interface LinkPulse {
  /** Bytes received so far. */
  readonly bytesHeard: () => number;
  /** Whether someone waits for an answer. */
  readonly inUse: () => boolean;
  /** Whether another link to the same place is known to be alive, and nobody waits for anything on this one. */
  readonly vouched: () => boolean;
  /** Told when bytes were seen to have come. */
  readonly heard: (atMs: number) => void;
  readonly ping: () => Promise<void>;
}

export interface WatchLinkOptions {
  /** Names the other end in the error. */
  readonly host: string;
  /** Silence after which it is pinged, in milliseconds. */
  readonly quietMs: number;
  /** How long the answer is waited for then. */
  readonly pingMs: number;
}

/** Bytes can only be counted now and then: so often in `quietMs`. What is noticed late makes pings more frequent. */
const looks = 12;
/** A link for which another one vouches may be quiet for so many times as long: pings are most of what an idle link costs. */
const vouchedFactor = 12;

/** Resolves when the peer says anything at all within `pingMs`, be it the answer or not. */
async function prove(
  { host, pingMs }: WatchLinkOptions,
  pulse: LinkPulse,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const before = pulse.bytesHeard();
  const wait = { what: `a ping of ${host}`, timeoutMs: pingMs, signal };
  try {
    await withDeadline(wait, clock, (inner) => raceAbort(pulse.ping(), inner));
  } catch (error) {
    // A process that was held up finds its timer due before the answer that is there already: read first.
    await setImmediate();
    if (!hasCode(error, 'DeadlineExceeded') || pulse.bytesHeard() === before) throw error;
  }
}

/**
 * Rejects with `DeadlineExceeded` once a link in use is dead: no byte for `quietMs`, then none for `pingMs` after a
 * ping. Silence counts from the last byte, used or not, so a call on a link that is silent for long is pinged for soon.
 * Where another link vouches it is asked twelve times less: it may have died alone, as when a router forgot it.
 * A link that dies is noticed within 13/12 × `quietMs` + `pingMs`: 15.8 s for 10 and 5 s.
 */
export async function watchLink(
  options: WatchLinkOptions,
  pulse: LinkPulse,
  deps: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<never> {
  const { clock, signal } = deps;
  const lookMs = options.quietMs / looks;
  let heard = pulse.bytesHeard();
  let since = clock.monotonicMs();
  const isQuiet = (): boolean => {
    const quietMs = options.quietMs * (pulse.vouched() ? vouchedFactor : 1);
    // Timers are not exact: half a look early is as good.
    return clock.monotonicMs() - since >= quietMs - lookMs / 2;
  };
  for (;;) {
    pulse.heard(since);
    await clock.sleep(lookMs, signal);
    const silent = pulse.bytesHeard() === heard;
    if (silent && !(isQuiet() && pulse.inUse())) continue;
    if (silent) await prove(options, pulse, deps);
    heard = pulse.bytesHeard();
    since = clock.monotonicMs();
  }
}
