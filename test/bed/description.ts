import { SelvedgeError } from '@selvedge/kit';
import { defaultLan } from './addresses.ts';
import type { Faults } from './network/faults.ts';

export const kubernetesVersions = ['1.36', '1.35'] as const;
/** Which control plane: 1.36.3 or 1.35.4. Nodes are always 1.36.3. */
export type KubernetesVersion = (typeof kubernetesVersions)[number];
export const nodeAgents = ['stock', 'converted', 'lite', 'none'] as const;
/**
 * What makes a node of the machine: kubelet and kube-proxy, the same with edge-lite's hub as their API server, edge-lite,
 * or nothing but the runtime.
 */
export type NodeAgent = (typeof nodeAgents)[number];
/** What a node with a kubelet may be turned into while its pods run. */
export type StockAgent = Extract<NodeAgent, 'stock' | 'converted'>;
export const containerdVersions = ['1.6', '2.4'] as const;
export type ContainerdVersion = (typeof containerdVersions)[number];
export const hostKinds = ['light', 'machine'] as const;
export type HostKind = (typeof hostKinds)[number];

/** The name under which nodes beside the control plane, without a router between, are asked for. */
export const cloudSite = 'cloud';

/** What the control plane is started with. */
export interface ControlPlaneDescription {
  readonly version: KubernetesVersion;
  /** `--cluster-signing-duration` of the controller-manager, `8760h` for instance. */
  readonly signingDuration: string;
  /** Further flags, `--name=value`. */
  readonly apiServerFlags: readonly string[];
  readonly controllerManagerFlags: readonly string[];
  /**
   * cloud-manager beside the API server, which reaches nodes and pods through it, and the tunnel's agent in every
   * edge-lite. Default false: it costs a start some seconds.
   */
  readonly tunnel?: boolean;
  /** Sections of cloud-manager's config, `autonomy` for instance, in place of those that it has otherwise. */
  readonly managerConfig?: Readonly<Record<string, unknown>>;
}

export interface SiteDescription {
  readonly name: string;
  /** An IPv4 /24. */
  readonly lan: string;
  /** The router's host number in the cloud's network. */
  readonly wanHost: number;
  /** What is wrong with its WAN. */
  readonly faults: Faults;
}

/** How an edge-lite gets to the cloud. */
export interface Uplink {
  /** An HTTP proxy, `http://192.168.50.1:3128`. Default: none. */
  readonly proxy?: string;
  /** `user:password` for it. Default: none. */
  readonly proxyCredentials?: string;
  /** `tls`, `websocket`: the carriers of its tunnel, the first one first. Default: both. */
  readonly carriers?: readonly ('tls' | 'websocket')[];
  /** Where it finds cloud-manager, as one of `modules.tunnel.servers`. Default: where it listens. */
  readonly server?: { readonly address: string; readonly [field: string]: string };
  /** How it reaches the API server once it has joined. Default: directly. */
  readonly via?: 'tunnel';
}

export interface NodeDescription {
  readonly name: string;
  /** A site's name, or `cloud`. */
  readonly site: string;
  /** The host number in the LAN, or in the cloud's network. */
  readonly host: number;
  readonly kind: HostKind;
  readonly agent: NodeAgent;
  readonly containerd: ContainerdVersion;
  /** A stock kube-proxy beside the agent. */
  readonly kubeProxy: boolean;
  /** CoreDNS on the node, for its pods. */
  readonly dns: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly uplink?: Uplink;
  /** The duration of its Lease, which is renewed four times as often. Default 40. */
  readonly leaseSeconds?: number;
  /** False after a power cut, until it is powered on. */
  readonly powered: boolean;
}

/** What is to exist: all that is needed to make or repair the bed. Kept as `bed.json`. */
export interface BedDescription {
  readonly schema: 1;
  readonly name: string;
  /** The third octet of the cloud's network. */
  readonly index: number;
  readonly controlPlane: ControlPlaneDescription;
  readonly sites: readonly SiteDescription[];
  readonly nodes: readonly NodeDescription[];
}

export const defaultControlPlane: ControlPlaneDescription = {
  version: '1.36',
  signingDuration: '8760h',
  apiServerFlags: [],
  controllerManagerFlags: [],
};

/** What a caller says of a site. */
export interface SiteOptions {
  readonly name: string;
  /** Default 192.168.50.0/24, the same for each site. */
  readonly lan?: string;
}

/** What a caller says of a node. */
export interface NodeOptions {
  readonly name: string;
  /** Default: the bed's first site. `cloud` puts the node beside the control plane, where it can be dialled. */
  readonly site?: string;
  /** Default `light`. */
  readonly kind?: HostKind;
  /** Default `stock`. */
  readonly agent?: NodeAgent;
  /** Default `1.6`. */
  readonly containerd?: ContainerdVersion;
  /** Default: true beside a kubelet, false beside edge-lite. */
  readonly kubeProxy?: boolean;
  /** CoreDNS on the node, which its pods ask; on a converted node it asks the hub. Default: false. */
  readonly dns?: boolean;
  /** Labels that the node registers itself with. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Default: whatever works without a proxy. */
  readonly uplink?: Uplink;
  /** The duration of its Lease. Default 40, the kubelet's. */
  readonly leaseSeconds?: number;
}

export const defaultSite: Required<SiteOptions> = { name: 'site-1', lan: defaultLan };

/** The description in the text of `bed.json`. Throws `Corrupt` if this program did not write it. */
export function parseDescription(text: string): BedDescription {
  const value = JSON.parse(text) as Partial<BedDescription> | null;
  if (value?.schema === 1 && typeof value.name === 'string' && typeof value.index === 'number') {
    return value as BedDescription;
  }
  const hint = 'remove the bed with `down` and make it anew';
  throw new SelvedgeError('bed.json is not a description that this program knows', { code: 'Corrupt', hint });
}

/** The node, or `NotFound`. */
export function nodeOf(bed: BedDescription, name: string): NodeDescription {
  const node = bed.nodes.find((each) => each.name === name);
  if (node !== undefined) return node;
  const hint =
    bed.nodes.length === 0 ? 'it has none' : `it has ${bed.nodes.map((each) => each.name).join(', ')}`;
  throw new SelvedgeError(`bed ${bed.name} has no node ${name}`, { code: 'NotFound', hint });
}

/** The site, or `NotFound`. */
export function siteOf(bed: BedDescription, name: string): SiteDescription {
  const site = bed.sites.find((each) => each.name === name);
  if (site !== undefined) return site;
  const hint =
    bed.sites.length === 0 ? 'it has none' : `it has ${bed.sites.map((each) => each.name).join(', ')}`;
  throw new SelvedgeError(`bed ${bed.name} has no site ${name}`, { code: 'NotFound', hint });
}
