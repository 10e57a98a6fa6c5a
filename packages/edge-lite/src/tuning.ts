import type { Tuning } from '@selvedge/kit';

/** Keeps an idle agent small. */
export const tuning: Tuning = {
  flags: [
    '--max-semi-space-size=1',
    '--max-old-space-size=64',
    '--no-opt',
    '--no-maglev',
    '--optimize-for-size',
    '--v8-pool-size=1',
    '--disable-warning=ExperimentalWarning',
  ],
  environment: {
    MALLOC_ARENA_MAX: '1',
    MALLOC_TRIM_THRESHOLD_: '65536',
    UV_THREADPOOL_SIZE: '2',
  },
};
