import { expired } from '../answers/index.ts';
import { naturalText, upstreamText } from '../replica/index.ts';
import type { CoverageSpec } from '../replica/types.ts';
import { type ResourceRequest, flagOf, heldResource } from '../request-info/index.ts';
import type { Horizon } from './horizon.ts';

/** Who waits for what comes after a version must not be given another one. */
function mustBeThatOne({ verb }: ResourceRequest, query: URLSearchParams): boolean {
  return verb === 'watch' && flagOf(query, 'sendInitialEvents') !== true;
}

/** 0 asks for any version, which no version of ours means. */
const atLeastOne = (version: string): string => (version === '0' ? '1' : version);

/** What a list or watch asks for, as it says it: whoever lists and then watches says it twice the same. */
export function specOf(about: ResourceRequest, query: URLSearchParams): CoverageSpec {
  return {
    resource: heldResource(about),
    namespace: about.namespace,
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
  };
}

/**
 * Versions that count local steps say how far the hub is. Others, too, where what is held is behind: they are of what
 * others hold of the resource. How far upstream was then, only upstream's own answers say.
 */
function isUpstreams(spec: CoverageSpec, shown: string, horizon: Horizon): boolean {
  const version = upstreamText(shown);
  const isNatural = naturalText(version) === shown;
  return horizon.hasTold(spec, shown) || (isNatural && !horizon.isBehind(spec, version));
}

interface Place {
  readonly spec: CoverageSpec;
  /** Upstream has not come to it. */
  readonly beyond: boolean;
  readonly horizon: Horizon;
}

/** Throws 410 for a place from which upstream could not tell everything, or would tell nothing. */
function checkStart(shown: string, { spec, beyond, horizon }: Place): void {
  if (beyond) throw expired(`too large resource version: ${shown}`);
  if (!isUpstreams(spec, shown, horizon)) throw expired(`too old resource version: ${shown}`);
}

/**
 * The query with the upstream's version. A list that shall be as new as something that upstream has not come to is as new
 * as can be. A watch from there would hear nothing at all, and one from a place that upstream does not know might miss
 * something: they are answered 410, and the client lists anew.
 */
export function sentQuery(about: ResourceRequest, query: URLSearchParams, horizon: Horizon): URLSearchParams {
  const sent = new URLSearchParams(query);
  const shown = sent.get('resourceVersion') ?? '';
  if (shown === '' || shown === '0') return sent;
  const spec = specOf(about, query);
  const version = upstreamText(shown);
  const highest = horizon.highest(spec.resource);
  const beyond = highest !== undefined && /^\d+$/.test(version) && BigInt(version) > highest;
  if (mustBeThatOne(about, query)) checkStart(shown, { spec, beyond, horizon });
  const isFree = beyond && sent.get('resourceVersionMatch') !== 'Exact';
  sent.set('resourceVersion', isFree ? highest.toString() : atLeastOne(version));
  return sent;
}
