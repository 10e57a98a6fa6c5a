import { defaultLan } from '../addresses.ts';
import { type BedDescription, type NodeOptions, cloudSite, defaultControlPlane } from '../description.ts';
import { withNode, withSite } from '../description-edit.ts';
import type { ClusterLayout } from './types.ts';

/** The one site of a cluster. */
export const siteName = 'shop';
/** The name of the control plane's first machine, which is the cloud. */
export const controlPlaneName = 'cloud-1';

export interface ClusterOptions {
  readonly name: string;
  /** The number of its network. */
  readonly index: number;
  readonly layout: ClusterLayout;
  /** How many machines have an API server and a member of etcd, `cloud-1` among them; of k3s none has. */
  readonly controlPlanes: number;
  /** How many workers the site has: `shop-1`, `shop-2`. */
  readonly workers: number;
}

const numbered = (name: string, from: number, to: number): readonly string[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => `${name}-${from + at}`);

const machine = { kind: 'machine', agent: 'none' } as const;

/** One more control plane of a cluster that has several; undefined: it has one. Pure. */
export function nextControlPlane({ nodes }: Pick<BedDescription, 'nodes'>): NodeOptions | undefined {
  const others = nodes.filter(({ site }) => site === cloudSite).length;
  return others === 0 ? undefined : { ...machine, name: `cloud-${others + 2}`, site: cloudSite };
}

/** The cluster as a bed: what its networks are made of and what takes it down. Pure. */
export function describeCluster(options: ClusterOptions): BedDescription {
  const { name, index, layout, controlPlanes, workers } = options;
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
  const nodes = [
    ...numbered('cloud', 2, controlPlanes).map((node) => ({ ...machine, name: node, site: cloudSite })),
    ...numbered(siteName, 1, workers).map((node) => ({ ...machine, name: node })),
  ];
  return nodes.reduce(withNode, site);
}
