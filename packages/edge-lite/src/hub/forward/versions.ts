/** How many local changes fit between two upstream versions, as a power of two. */
const localBits = 20n;
const decimal = /^[1-9][0-9]*$/;

/** The served version of what upstream calls `version`. What is not decimal passes unchanged. */
export function naturalVersion(version: string): string {
  return decimal.test(version) ? String(BigInt(version) << localBits) : version;
}

/** The upstream version for a served one, never 0, which means "any". What is not decimal passes unchanged. */
export function upstreamVersionOf(served: string): string {
  if (!decimal.test(served)) return served;
  const version = BigInt(served) >> localBits;
  return version === 0n ? '1' : String(version);
}
