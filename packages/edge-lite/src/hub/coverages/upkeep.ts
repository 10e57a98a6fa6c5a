import { jittered, type Clock, type Random } from '@selvedge/kit';

export interface UpkeepDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly recheck: () => void;
  readonly age: (ms: number) => void;
}

const tickMs = 60_000;

/** Looks at ages every minute, and at rights in an interval of their own. Runs until the signal aborts. */
export async function runUpkeep(
  options: { readonly recheckMs?: number },
  { clock, random, recheck, age }: UpkeepDeps,
  signal: AbortSignal,
): Promise<void> {
  const recheckMs = options.recheckMs ?? 300_000;
  const waitMs = Math.min(tickMs, recheckMs);
  let last = clock.monotonicMs();
  let checked = last;
  while (!signal.aborted) {
    await clock.sleep(jittered(waitMs, random), signal);
    const now = clock.monotonicMs();
    age(now - last);
    last = now;
    if (now - checked < recheckMs) continue;
    checked = now;
    recheck();
  }
}
