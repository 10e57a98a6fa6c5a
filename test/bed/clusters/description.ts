import { defaultLan } from '../addresses.ts';
import { type BedDescription, defaultControlPlane } from '../description.ts';
import { withNode, withSite } from '../description-edit.ts';
import type { ClusterLayout } from './types.ts';

/** The one site of a cluster. */
export const siteName = 'shop';
/** The name of the control plane's machine. */
export const controlPlaneName = 'cloud-1';

export interface ClusterOptions {
  readonly name: string;
  /** The number of its network. */
  readonly index: number;
  readonly layout: ClusterLayout;
  /** How many workers the site has: `shop-1`, `shop-2`. */
  readonly workers: number;
}

/** The cluster as a bed: what its networks are made of and what takes it down. Pure. */
export function describeCluster({ name, index, layout, workers }: ClusterOptions): BedDescription {
  const empty: BedDescription = {
    schema: 1,
    name,
    index,
    // A cloud without machines has cloud-manager as one of its own programs.
    controlPlane: { ...defaultControlPlane, tunnel: layout === 'k3s' },
    sites: [],
    nodes: [],
  };
  const site = withSite(empty, { name: siteName, lan: defaultLan });
  const names = Array.from({ length: workers }, (_, at) => `${siteName}-${at + 1}`);
  return names.reduce((bed, worker) => withNode(bed, { name: worker, kind: 'machine', agent: 'none' }), site);
}
