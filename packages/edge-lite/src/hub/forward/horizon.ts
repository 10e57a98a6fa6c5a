import { createHash } from 'node:crypto';
import { heldResource, resourceParts } from '../request-info/index.ts';
import type { CoverageRecord, CoverageSpec, HeldResource, Replica } from '../replica/types.ts';
import { covers } from '../selection/index.ts';

/** How far upstream is known to have come, resource by resource. */
export interface Horizon {
  /** Upstream has answered with a version of its own. What is not decimal counts for nothing. */
  saw(resource: HeldResource, upstream: string | undefined): void;
  /** The highest version that anybody was told of. Undefined: nothing is known. */
  highest(resource: HeldResource): bigint | undefined;
  /** Upstream told somebody all of `spec` up to what was shown as `version`, by a list or a watch that went through. */
  told(spec: CoverageSpec, version: string): void;
  /** Whether it did, not too long ago. */
  hasTold(spec: CoverageSpec, version: string): boolean;
  /**
   * Something that is held and answers `spec` has not come to `upstream`. Whoever reads it is told how far the resource
   * is, which others may have brought further.
   */
  isBehind(spec: CoverageSpec, upstream: string): boolean;
}

const maxResources = 1000;
const maxPlaces = 10_000;

/** Clients write selectors as long as they like. */
const placeKey = (
  { resource, namespace, labelSelector, fieldSelector }: CoverageSpec,
  version: string,
): string => {
  const text = [resource, namespace, labelSelector, fieldSelector, version].join('?');
  return createHash('sha256').update(text).digest('base64');
};

/** What is held whole answers for its metadata. */
const asMetadata = (spec: CoverageSpec): CoverageSpec => ({
  ...spec,
  resource: heldResource({ ...resourceParts(spec.resource), metadataOnly: true }),
});

const numberOf = (text: string | undefined): bigint =>
  text !== undefined && /^\d{1,40}$/.test(text) ? BigInt(text) : 0n;

/**
 * After a crash the hub counts on far above what upstream has come to, and whoever asked upstream for what comes after such
 * a version would wait in silence. So nothing beyond the horizon is asked for.
 */
export function createHorizon(replica: Pick<Replica, 'coverages'>): Horizon {
  const seen = new Map<HeldResource, bigint>();
  const places = new Set<string>();
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
    told(spec, version) {
      const place = placeKey(spec, version);
      places.delete(place);
      places.add(place);
      const oldest = places.size > maxPlaces ? places.values().next().value : undefined;
      if (oldest !== undefined) places.delete(oldest);
    },
    hasTold: (spec, version) => places.has(placeKey(spec, version)),
    isBehind(spec, upstream) {
      const wanted = asMetadata(spec);
      return replica
        .coverages()
        .some(
          (one) => one.synced && numberOf(one.upstreamVersion) < numberOf(upstream) && covers(one, wanted),
        );
    },
  };
}
