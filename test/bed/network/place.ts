import { SelvedgeError } from '@selvedge/kit';
import { type BedDescription, cloudSite } from '../description.ts';
import { bedNames } from '../names.ts';

/** The network namespace of a node, of a site's router, or of the cloud; `NotFound` for anything else. */
export function namespaceOf(bed: BedDescription, place: string): string {
  const names = bedNames(bed.name);
  if (place === cloudSite) return names.cloud;
  if (bed.nodes.some((node) => node.name === place)) return names.node(place);
  if (bed.sites.some((site) => site.name === place)) return names.site(place);
  throw new SelvedgeError(`bed ${bed.name} has no node and no site ${place}`, { code: 'NotFound' });
}
