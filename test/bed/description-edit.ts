import { SelvedgeError } from '@selvedge/kit';
import { defaultLan, freeCloudNodeHost, freeLanHost, freeRouterHost, lanAddresses } from './addresses.ts';
import {
  type BedDescription,
  type NodeDescription,
  type NodeOptions,
  type SiteOptions,
  type StockAgent,
  cloudSite,
  nodeOf,
  siteOf,
} from './description.ts';
import type { Faults } from './network/faults.ts';
import { checkLabel } from './names.ts';

function exists(what: string, name: string, bed: string): SelvedgeError {
  return new SelvedgeError(`bed ${bed} has a ${what} ${name} already`, { code: 'AlreadyExists' });
}

/** The description with one more site. */
export function withSite(bed: BedDescription, options: SiteOptions): BedDescription {
  const name = checkLabel(options.name, 'site');
  if (name === cloudSite || bed.sites.some((site) => site.name === name))
    throw exists('site', name, bed.name);
  const lan = options.lan ?? defaultLan;
  lanAddresses(lan);
  const wanHost = freeRouterHost(bed.sites.map((site) => site.wanHost));
  return { ...bed, sites: [...bed.sites, { name, lan, wanHost, faults: {} }] };
}

/** The description with other faults of a site's WAN. */
export function withFaults(bed: BedDescription, name: string, faults: Faults): BedDescription {
  siteOf(bed, name);
  return { ...bed, sites: bed.sites.map((site) => (site.name === name ? { ...site, faults } : site)) };
}

/** The description without an empty site. */
export function withoutSite(bed: BedDescription, name: string): BedDescription {
  siteOf(bed, name);
  const nodes = bed.nodes.filter((node) => node.site === name).map((node) => node.name);
  if (nodes.length > 0) {
    const hint = 'remove them first';
    throw new SelvedgeError(`site ${name} still has ${nodes.join(', ')}`, { code: 'Conflict', hint });
  }
  return { ...bed, sites: bed.sites.filter((site) => site.name !== name) };
}

function siteFor(bed: BedDescription, wanted: string | undefined): string {
  if (wanted === cloudSite) return cloudSite;
  if (wanted !== undefined) return siteOf(bed, wanted).name;
  const first = bed.sites[0];
  if (first === undefined) throw new SelvedgeError(`bed ${bed.name} has no site`, { code: 'NotFound' });
  return first.name;
}

type Optional = Pick<NodeDescription, 'uplink' | 'leaseSeconds'>;

const optionalOf = ({ uplink, leaseSeconds }: NodeOptions): Optional => ({
  ...(uplink === undefined ? {} : { uplink }),
  ...(leaseSeconds === undefined ? {} : { leaseSeconds }),
});

/** The description with one more node. */
export function withNode(bed: BedDescription, options: NodeOptions): BedDescription {
  const name = checkLabel(options.name, 'node');
  if (bed.nodes.some((node) => node.name === name)) throw exists('node', name, bed.name);
  const site = siteFor(bed, options.site);
  const taken = bed.nodes.filter((node) => node.site === site).map((node) => node.host);
  const agent = options.agent ?? 'stock';
  const node: NodeDescription = {
    name,
    site,
    host: site === cloudSite ? freeCloudNodeHost(taken) : freeLanHost(taken),
    kind: options.kind ?? 'light',
    agent,
    containerd: options.containerd ?? '1.6',
    kubeProxy: options.kubeProxy ?? (agent === 'stock' || agent === 'converted'),
    dns: options.dns ?? false,
    labels: options.labels ?? {},
    ...optionalOf(options),
    powered: true,
  };
  return { ...bed, nodes: [...bed.nodes, node] };
}

export function withoutNode(bed: BedDescription, name: string): BedDescription {
  nodeOf(bed, name);
  return { ...bed, nodes: bed.nodes.filter((node) => node.name !== name) };
}

/** The description with the hub put between the stock programs of a node and the API server, or taken away. */
export function withAgent(bed: BedDescription, name: string, agent: StockAgent): BedDescription {
  const before = nodeOf(bed, name).agent;
  if (before !== 'stock' && before !== 'converted') {
    throw new SelvedgeError(`node ${name} has no kubelet`, {
      code: 'Conflict',
      hint: `its agent is ${before}`,
    });
  }
  return { ...bed, nodes: bed.nodes.map((node) => (node.name === name ? { ...node, agent } : node)) };
}

export function withPower(bed: BedDescription, name: string, powered: boolean): BedDescription {
  nodeOf(bed, name);
  return { ...bed, nodes: bed.nodes.map((node) => (node.name === name ? { ...node, powered } : node)) };
}
