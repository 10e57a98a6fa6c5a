/** A number in `[0, 1)`, injected so that jitter can be tested. `Math.random` is one. */
export type Random = () => number;

/** `ms` spread evenly over `± share` of itself, so that many loops do not fall into step. `share` defaults to 0.1. */
export function jittered(ms: number, random: Random, share = 0.1): number {
  return ms * (1 - share + 2 * share * random());
}
