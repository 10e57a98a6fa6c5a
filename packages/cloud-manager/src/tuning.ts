import type { Tuning } from '@selvedge/kit';

/**
 * A server of many small things: without these V8 and malloc keep several times what it uses. The bytes that pass through
 * count for V8 as long as their young objects live: with a larger young generation, less room before the first marking, or
 * `--optimize-for-size`, it marks all of the heap for every few MB that a tunnel carries.
 */
export const tuning: Tuning = {
  flags: [
    '--max-semi-space-size=1',
    '--initial-old-space-size=32',
    '--heap-growing-percent=25',
    '--disable-warning=ExperimentalWarning',
  ],
  environment: { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '65536' },
};
