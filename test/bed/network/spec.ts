import { createHash } from 'node:crypto';
import {
  type CloudAddresses,
  type LanAddresses,
  cloudAddresses,
  lanAddresses,
  podRange,
} from '../addresses.ts';
import {
  type BedDescription,
  type NodeDescription,
  type SiteDescription,
  cloudSite,
  siteOf,
} from '../description.ts';
import { type BedNames, bedNames } from '../names.ts';
import { links } from './links.ts';

/** One command of a namespace's setup. `namespace` is the machine's own where it is undefined. */
export type NetworkCommand =
  | { readonly kind: 'ip'; readonly namespace: string | undefined; readonly lines: readonly string[] }
  | { readonly kind: 'sysctl'; readonly values: Readonly<Record<string, string | number>> }
  | { readonly kind: 'nft'; readonly script: string };

/** A network namespace as it is to be. Plain data: the setup is computed, then carried out. */
export interface NamespaceSpec {
  readonly name: string;
  /** The namespace that its uplink ends in: made before it, and it is made anew when that one is. */
  readonly parent?: string;
  /** The far end of its uplink. */
  readonly farEnd: { readonly namespace: string | undefined; readonly link: string };
  /** Carried out in this order once the namespace exists. */
  readonly setup: readonly NetworkCommand[];
}

/** Tells a namespace that was made by another setup, or only half. */
export function fingerprintOf(spec: NamespaceSpec): string {
  return createHash('sha256').update(JSON.stringify(spec)).digest('hex').slice(0, 16);
}

/**
 * The cloud: a bridge that plays the internet, and a point-to-point link by which the machine (kubectl, tests) reaches
 * the API server. The link is not on the bridge and the cloud does not forward, so no site reaches the machine.
 */
function cloudSpec(names: BedNames, addresses: CloudAddresses): NamespaceSpec {
  const { cloud, machine } = addresses;
  const inside = [
    `link add ${links.wanBridge} type bridge`,
    `addr add ${cloud}/24 dev ${links.wanBridge}`,
    `link set ${links.wanBridge} up`,
    'link set host0 up',
    `route add ${machine}/32 dev host0 src ${cloud}`,
  ];
  const outside = [
    `link add ${names.hostLink} type veth peer name host0 netns ${names.cloud}`,
    `addr add ${machine}/32 dev ${names.hostLink}`,
    `link set ${names.hostLink} up`,
    `route add ${cloud}/32 dev ${names.hostLink} src ${machine}`,
  ];
  return {
    name: names.cloud,
    farEnd: { namespace: undefined, link: names.hostLink },
    setup: [
      { kind: 'ip', namespace: undefined, lines: outside },
      { kind: 'ip', namespace: names.cloud, lines: inside },
    ],
  };
}

/** NAT outwards; inwards nothing that was not asked for from inside. */
const routerRules = `
table inet router {
  chain outbound {
    type nat hook postrouting priority srcnat
    oifname "${links.wanUplink}" masquerade
  }
  chain forward {
    type filter hook forward priority filter; policy accept
    iifname "${links.wanUplink}" ct state new drop
  }
  chain input {
    type filter hook input priority filter; policy accept
    iifname "${links.wanUplink}" ct state new drop
  }
}
`;

/** A namespace's one uplink with its far end on a bridge of the parent. */
interface Uplink {
  readonly namespace: string;
  readonly link: string;
  readonly address: string;
  readonly gateway: string;
  readonly parent: string;
  readonly bridge: string;
  readonly farEnd: string;
}

function uplinkCommands(uplink: Uplink): NetworkCommand[] {
  const { link, parent, farEnd } = uplink;
  const inside = [`link add ${link} type veth peer name ${farEnd} netns ${parent}`];
  const outside = [`link set ${farEnd} master ${uplink.bridge} up`];
  const finish = [
    `addr add ${uplink.address}/24 dev ${link}`,
    `link set ${link} up`,
    `route add default via ${uplink.gateway}`,
  ];
  return [
    { kind: 'ip', namespace: uplink.namespace, lines: inside },
    { kind: 'ip', namespace: parent, lines: outside },
    { kind: 'ip', namespace: uplink.namespace, lines: finish },
  ];
}

function siteSpec(names: BedNames, addresses: CloudAddresses, site: SiteDescription): NamespaceSpec {
  const name = names.site(site.name);
  const farEnd = `r${site.wanHost}`;
  const lan = [
    `link add ${links.lanBridge} type bridge`,
    `addr add ${lanAddresses(site.lan).router}/24 dev ${links.lanBridge}`,
    `link set ${links.lanBridge} up`,
  ];
  return {
    name,
    parent: names.cloud,
    farEnd: { namespace: names.cloud, link: farEnd },
    setup: [
      ...uplinkCommands({
        namespace: name,
        link: links.wanUplink,
        address: addresses.at(site.wanHost),
        gateway: addresses.cloud,
        parent: names.cloud,
        bridge: links.wanBridge,
        farEnd,
      }),
      { kind: 'ip', namespace: name, lines: lan },
      { kind: 'nft', script: routerRules },
      { kind: 'sysctl', values: { 'net.ipv4.ip_forward': 1, 'net.bridge.bridge-nf-call-iptables': 0 } },
    ],
  };
}

/** What leaves the node's uplink for other than a pod takes the node's address; between pods there is no NAT. */
const nodeRules = `
table inet node {
  chain outbound {
    type nat hook postrouting priority srcnat
    oifname "${links.nodeUplink}" ip saddr ${podRange} ip daddr != ${podRange} masquerade
  }
}
`;

/** The address of a node and of its way out. */
export function nodeAddress(
  bed: BedDescription,
  node: NodeDescription,
): { address: string; gateway: string } {
  if (node.site === cloudSite) {
    const addresses = cloudAddresses(bed.index);
    return { address: addresses.at(node.host), gateway: addresses.cloud };
  }
  const lan: LanAddresses = lanAddresses(siteOf(bed, node.site).lan);
  return { address: lan.at(node.host), gateway: lan.router };
}

function nodeSpec(names: BedNames, bed: BedDescription, node: NodeDescription): NamespaceSpec {
  const name = names.node(node.name);
  const inCloud = node.site === cloudSite;
  const parent = inCloud ? names.cloud : names.site(node.site);
  const farEnd = `n${node.host}`;
  return {
    name,
    parent,
    farEnd: { namespace: parent, link: farEnd },
    setup: [
      ...uplinkCommands({
        namespace: name,
        link: links.nodeUplink,
        ...nodeAddress(bed, node),
        parent,
        bridge: inCloud ? links.wanBridge : links.lanBridge,
        farEnd,
      }),
      { kind: 'nft', script: nodeRules },
      { kind: 'sysctl', values: { 'net.ipv4.ip_forward': 1, 'net.bridge.bridge-nf-call-iptables': 1 } },
    ],
  };
}

/** The namespaces of a bed, parents first. A node that is off has none. */
export function namespaceSpecs(bed: BedDescription): readonly NamespaceSpec[] {
  const names = bedNames(bed.name);
  const addresses = cloudAddresses(bed.index);
  return [
    cloudSpec(names, addresses),
    ...bed.sites.map((site) => siteSpec(names, addresses, site)),
    ...bed.nodes.filter((node) => node.powered).map((node) => nodeSpec(names, bed, node)),
  ];
}
