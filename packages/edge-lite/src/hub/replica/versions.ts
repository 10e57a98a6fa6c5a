/**
 * The hub's own resourceVersions: `upstream × 2^20 + local sequence`. Decimal, rising, and the upstream version comes back
 * by division. Shifts, not products: all of it is bigint.
 */
const localBits = 20n;

/** How many local steps fit between two upstream versions. */
export const localSteps = 1n << localBits;

/** The number behind a resourceVersion; undefined for one that is not decimal. Source: KEP-5504. */
export function parseVersion(text: string | undefined): bigint | undefined {
  return text !== undefined && /^\d{1,40}$/.test(text) ? BigInt(text) : undefined;
}

/** The first version of ours that stands for an upstream one. */
export const natural = (upstream: bigint): bigint => upstream << localBits;

/** The next version of a resource whose last one is `watermark`, for a change that upstream made at `upstream`. */
export function allocate(upstream: bigint, watermark: bigint): bigint {
  const wanted = natural(upstream);
  return wanted > watermark ? wanted : watermark + 1n;
}

/** Whether it may stand for an upstream one as it is: local steps count on behind it. */
export const isNatural = (shown: bigint): boolean => shown % localSteps === 0n;

/** The upstream version that one of ours was made from. */
export const upstreamOf = (shown: bigint): bigint => shown >> localBits;

/** How an object or a list that no coverage holds shows its version. What is not decimal stays as it is. */
export function naturalText(upstream: string): string {
  const version = parseVersion(upstream);
  return version === undefined ? upstream : natural(version).toString();
}

/** The way back of `naturalText`, for any version of ours. */
export function upstreamText(shown: string): string {
  const version = parseVersion(shown);
  return version === undefined ? shown : upstreamOf(version).toString();
}
