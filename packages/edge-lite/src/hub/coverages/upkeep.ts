import { jittered, type Clock, type Random } from '@selvedge/kit';

export interface UpkeepDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Told how much time passed. */
  readonly look: (passedMs: number) => void;
}

const defaultEveryMs = 60_000;

/** Looks at ages every minute, or more often where something is to be looked at sooner. Runs until the signal aborts. */
export async function runUpkeep(
  options: { readonly recheckMs?: number },
  { clock, random, look }: UpkeepDeps,
  signal: AbortSignal,
): Promise<void> {
  const everyMs = Math.min(defaultEveryMs, options.recheckMs ?? defaultEveryMs);
  let last = clock.monotonicMs();
  while (!signal.aborted) {
    await clock.sleep(jittered(everyMs, random), signal);
    const now = clock.monotonicMs();
    look(now - last);
    last = now;
  }
}
