import { SelvedgeError } from '@selvedge/kit';

/** The Services' range of every bed. */
export const serviceRange = '10.96.0.0/16';
export const apiServiceAddress = '10.96.0.1';
export const dnsServiceAddress = '10.96.0.10';
/** The pods' range of every bed; a node gets a /24 of it. */
export const podRange = '10.244.0.0/16';
/** The LAN of a site unless it asks for another: the same everywhere, as shops have it. */
export const defaultLan = '192.168.50.0/24';
export const apiServerPort = 6443;
/** Where cloud-manager listens for the agents of nodes. */
export const tunnelPort = 443;
export const managerHealthPort = 10_290;
/** Where cloud-manager takes clients in the cloud to kubelets. */
export const kubeletProxyPort = 10_250;
/** The name of cloud-manager in its certificate, for agents that go through something that must know a name. */
export const tunnelName = 'tunnel.selvedge.test';

/** How many beds can live side by side. */
export const maxBeds = 250;
/** Hosts of the WAN: 1 the cloud, 11–110 routers, 120–249 nodes in the cloud, 254 the machine. */
const routers = { first: 11, last: 110 } as const;
const cloudNodes = { first: 120, last: 249 } as const;
const lanNodes = { first: 11, last: 249 } as const;

/** The addresses of the cloud's network, different for each bed. */
export interface CloudAddresses {
  readonly cidr: string;
  readonly cloud: string;
  readonly machine: string;
  at(host: number): string;
}

export function cloudAddresses(index: number): CloudAddresses {
  const at = (host: number): string => `10.60.${index}.${host}`;
  return { cidr: at(0).concat('/24'), cloud: at(1), machine: at(254), at };
}

/** The addresses of a site's LAN, which is a /24. */
export interface LanAddresses {
  readonly router: string;
  at(host: number): string;
}

const slash24 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.0\/24$/;

/** Throws `Invalid` unless `cidr` is an IPv4 /24. */
export function lanAddresses(cidr: string): LanAddresses {
  const octets = slash24.exec(cidr)?.slice(1).map(Number);
  if (octets === undefined || octets.some((octet) => octet > 255)) {
    throw new SelvedgeError(`${JSON.stringify(cidr)} is not an IPv4 /24`, {
      code: 'Invalid',
      hint: defaultLan,
    });
  }
  const at = (host: number): string => [...octets, host].join('.');
  return { router: at(1), at };
}

function firstFree(range: { first: number; last: number }, taken: readonly number[], what: string): number {
  for (let host = range.first; host <= range.last; host += 1) if (!taken.includes(host)) return host;
  throw new SelvedgeError(`no address is left for another ${what}`, { code: 'ResourceExhausted' });
}

export const freeRouterHost = (taken: readonly number[]): number => firstFree(routers, taken, 'site');
export const freeCloudNodeHost = (taken: readonly number[]): number =>
  firstFree(cloudNodes, taken, 'node in the cloud');
export const freeLanHost = (taken: readonly number[]): number =>
  firstFree(lanNodes, taken, 'node of the site');
