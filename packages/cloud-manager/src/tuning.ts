import type { Tuning } from '@selvedge/kit';

/** A server of many small things: without these V8 and malloc keep several times what it uses. */
export const tuning: Tuning = {
  flags: ['--max-semi-space-size=2', '--optimize-for-size', '--disable-warning=ExperimentalWarning'],
  environment: { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '65536' },
};
