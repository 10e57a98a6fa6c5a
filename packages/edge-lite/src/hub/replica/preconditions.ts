import { twinOf } from './content.ts';
import type { Core } from './core.ts';
import type { Replica } from './types.ts';
import { isNatural, parseVersion, upstreamText } from './versions.ts';

/**
 * What `Replica.upstreamVersion` tells. A client may have the version from here, whole or with its metadata only, each of
 * which has an order of its own; or from an answer that went through under its natural version: an old list or a watch. Of
 * that only upstream can tell whether it is the last one.
 */
export function upstreamVersionOf(core: Core): Replica['upstreamVersion'] {
  return (resource, { namespace, name }, shown) => {
    const rows = [resource, twinOf(resource)]
      .map((held) => core.ledger.bank(held).row({ resource: held, namespace, name }))
      .filter((row) => row !== undefined);
    const version = parseVersion(shown);
    const row = rows.find((one) => one.version === version);
    if (row !== undefined) return row.upstreamVersion;
    const told = rows.length === 0 || version === undefined || isNatural(version);
    return told ? upstreamText(shown) : undefined;
  };
}
