import type { CoverageRecord, HeldResource, Replica } from '../replica/types.ts';

/** How far upstream is known to have come, resource by resource. */
export interface Horizon {
  /** Upstream has answered with a version of its own. What is not decimal counts for nothing. */
  saw(resource: HeldResource, upstream: string | undefined): void;
  /** The highest version that anybody was told of. Undefined: nothing is known. */
  highest(resource: HeldResource): bigint | undefined;
  /** A list of upstream was shown under `version`. */
  listed(resource: HeldResource, version: string): void;
  /** Whether one was, not too long ago. */
  hasListed(resource: HeldResource, version: string): boolean;
}

const maxResources = 1000;
const maxLists = 10_000;

const numberOf = (text: string | undefined): bigint =>
  text !== undefined && /^\d{1,40}$/.test(text) ? BigInt(text) : 0n;

/**
 * After a crash the hub counts on far above what upstream has come to, and whoever asked upstream for what comes after such
 * a version would wait in silence. So nothing beyond the horizon is asked for.
 */
export function createHorizon(replica: Pick<Replica, 'coverages'>): Horizon {
  const seen = new Map<HeldResource, bigint>();
  const lists = new Set<string>();
  const heardOf = (resource: HeldResource): readonly bigint[] =>
    replica
      .coverages()
      .filter((one: CoverageRecord) => one.resource === resource || one.resource === `${resource};metadata`)
      .map(({ upstreamVersion }) => numberOf(upstreamVersion));
  return {
    saw(resource, upstream) {
      const version = numberOf(upstream);
      if (version <= (seen.get(resource) ?? 0n)) return;
      seen.delete(resource);
      seen.set(resource, version);
      const oldest = seen.size > maxResources ? seen.keys().next().value : undefined;
      if (oldest !== undefined) seen.delete(oldest);
    },
    highest(resource) {
      const known = [...heardOf(resource), seen.get(resource) ?? 0n];
      const highest = known.reduce((high, one) => (one > high ? one : high), 0n);
      return highest === 0n ? undefined : highest;
    },
    listed(resource, version) {
      const list = `${resource} ${version}`;
      lists.delete(list);
      lists.add(list);
      const oldest = lists.size > maxLists ? lists.values().next().value : undefined;
      if (oldest !== undefined) lists.delete(oldest);
    },
    hasListed: (resource, version) => lists.has(`${resource} ${version}`),
  };
}
