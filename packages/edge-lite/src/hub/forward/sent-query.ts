import { expired } from '../answers/index.ts';
import { upstreamText } from '../replica/index.ts';
import { type ResourceRequest, flagOf } from '../request-info/index.ts';

/** Who waits for what comes after a version must not be given another one. */
function mustBeThatOne({ verb }: ResourceRequest, query: URLSearchParams): boolean {
  return verb === 'watch' && flagOf(query, 'sendInitialEvents') !== true;
}

/** 0 asks for any version, which no version of ours means. */
function versionFor(shown: string): string {
  const version = upstreamText(shown);
  return version === '0' && shown !== '0' ? '1' : version;
}

/**
 * The query with the upstream's version; `known` is how far that is known to have come. A list that shall be as new as something that upstream has not come to is as new
 * as can be; of a watch from there upstream would tell nothing at all, so it is answered 410: the client lists anew.
 */
export function sentQuery(
  about: ResourceRequest,
  query: URLSearchParams,
  known: () => bigint | undefined,
): URLSearchParams {
  const sent = new URLSearchParams(query);
  const shown = sent.get('resourceVersion');
  if (shown === null) return sent;
  const version = versionFor(shown);
  const highest = known();
  const beyond = highest !== undefined && /^\d+$/.test(version) && BigInt(version) > highest;
  if (beyond && mustBeThatOne(about, query)) throw expired(`too large resource version: ${shown}`);
  const exact = sent.get('resourceVersionMatch') === 'Exact';
  sent.set('resourceVersion', beyond && !exact ? highest.toString() : version);
  return sent;
}
