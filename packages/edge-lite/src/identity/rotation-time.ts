import type { Random } from '@selvedge/kit';
import type { Pair } from './pair.ts';

/** However short certificates live, they are not replaced more often. */
const leastIntervalMs = 60_000;

/**
 * When to replace a certificate: at a random point between 70 and 90 % of its life, as the kubelet does, but not within
 * a minute of the last replacement. Milliseconds since the epoch.
 */
export function rotationTime(
  pair: Pick<Pair, 'notBeforeMs' | 'notAfterMs'>,
  lastRotationMs: number | undefined,
  random: Random,
): number {
  const at = pair.notBeforeMs + (pair.notAfterMs - pair.notBeforeMs) * (0.7 + 0.2 * random());
  return lastRotationMs === undefined ? at : Math.max(at, lastRotationMs + leastIntervalMs);
}
