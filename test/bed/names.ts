import { SelvedgeError } from '@selvedge/kit';

/**
 * The names of everything that a bed puts on the machine outside its own folder. They follow from the bed's name
 * alone, so that what a killed run left behind is found without any state.
 */
export interface BedNames {
  readonly bed: string;
  /** What the name of every network namespace of the bed starts with. */
  readonly namespacePrefix: string;
  readonly cloud: string;
  site(site: string): string;
  node(node: string): string;
  /** The host's end of the link into the cloud's network: the one interface outside the bed's namespaces. */
  readonly hostLink: string;
  /** Relative to each cgroup hierarchy; the nodes' subtrees lie below it. */
  readonly cgroup: string;
  nodeCgroup(node: string): string;
  /** The name of a node's CNI network: libcni keeps files outside the node's folders that begin with it. */
  podNetwork(node: string): string;
  /** The value of `processMark` in the environment of the processes of `owner`; without one, what all begin with. */
  mark(owner?: string): string;
}

/** The environment variable by which processes are known to belong to a bed: `BED/OWNER/`. */
export const processMark = 'SELVEDGE_BED_PROCESS';

/** 12 characters: an interface's name holds 15. */
const bedName = /^[a-z](?:[a-z0-9-]{0,10}[a-z0-9])?$/;
const label = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/;

/** Throws `Invalid` unless `name` may be a bed's. */
export function checkBedName(name: string): string {
  if (bedName.test(name)) return name;
  const hint = 'up to 12 lower-case letters, digits and dashes, a letter first';
  throw new SelvedgeError(`${JSON.stringify(name)} cannot name a bed`, { code: 'Invalid', hint });
}

/** Throws `Invalid` unless `name` may be a site's or a node's. */
export function checkLabel(name: string, what: 'node' | 'site'): string {
  if (label.test(name)) return name;
  const hint = 'up to 40 lower-case letters, digits and dashes';
  throw new SelvedgeError(`${JSON.stringify(name)} cannot name a ${what}`, { code: 'Invalid', hint });
}

export function bedNames(bed: string): BedNames {
  checkBedName(bed);
  const namespacePrefix = `selvedge.${bed}.`;
  return {
    bed,
    namespacePrefix,
    cloud: `${namespacePrefix}cloud`,
    site: (site) => `${namespacePrefix}site.${site}`,
    node: (node) => `${namespacePrefix}node.${node}`,
    hostLink: `sv-${bed}`,
    cgroup: `selvedge-${bed}`,
    nodeCgroup: (node) => `selvedge-${bed}/${node}`,
    podNetwork: (node) => `${namespacePrefix}${node}`,
    mark: (owner) => (owner === undefined ? `${bed}/` : `${bed}/${owner}/`),
  };
}
