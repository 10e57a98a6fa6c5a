import { setImmediate } from 'node:timers/promises';
import { hasCode, raceAbort, withDeadline, type Clock } from '@selvedge/kit';
import type { HttpTimeouts } from './types.ts';

export interface LinkPulse {
  /** Bytes received so far. */
  readonly bytesHeard: () => number;
  /** Whether someone waits for an answer. */
  readonly inUse: () => boolean;
  readonly ping: () => Promise<void>;
}

export interface WatchLinkOptions extends Pick<HttpTimeouts, 'quietMs' | 'pingMs'> {
  readonly host: string;
}

/** Bytes can only be counted now and then: so often in `quietMs`. */
const looks = 4;

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
 * A link that dies is noticed within 1.25 × `quietMs` + `pingMs`: 17.5 s by default, before a Lease of 40 s runs out.
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
  for (;;) {
    await clock.sleep(lookMs, signal);
    const silent = pulse.bytesHeard() === heard;
    // Timers are not exact: half a look early is as good.
    const quiet = clock.monotonicMs() - since >= options.quietMs - lookMs / 2;
    if (silent && !(quiet && pulse.inUse())) continue;
    if (silent) await prove(options, pulse, deps);
    heard = pulse.bytesHeard();
    since = clock.monotonicMs();
  }
}
