import type { Argv } from '../doors.ts';
import type { Facts, InventoryPart } from './types.ts';

/** What a program on the machine is asked, and what its answer says. */
export interface Look {
  readonly part: InventoryPart;
  readonly argv: Argv;
  readonly read: (printed: string) => Facts;
}

const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line.trim() !== '');

/** Lines whose first `words` words are a name. */
function byFirstWords(text: string, words: number): Facts {
  const entries = linesOf(text).map((line) => {
    const fields = line.trim().split(/\s+/);
    return [fields.slice(0, words).join(' '), fields.slice(words).join(' ')] as const;
  });
  return Object.fromEntries(entries);
}

/** Units of a login, of an SSH connection, of systemd's own work by the clock: they come and go. */
const passingUnits =
  /^(?:user@\d+|user-runtime-dir@\d+|ssh@.+|systemd-tmpfiles-clean|systemd-(?:hostnamed|timedated|localed))\.(?:service|timer)$/;

/** What is enabled, and how. */
export function readUnitFiles(text: string): Facts {
  return Object.fromEntries(
    Object.entries(byFirstWords(text, 1)).map(([name, state]) => [
      `${name} at boot`,
      state.split(' ')[0] ?? '',
    ]),
  );
}

/** What runs now: `loaded active running`. Units that do nothing are loaded or not as it happens. */
export function readUnits(text: string): Facts {
  const units = Object.entries(byFirstWords(text, 1)).map(([name, state]) => {
    return [name, state.split(' ').slice(0, 3)] as const;
  });
  const busy = units.filter(([name, [, active]]) => active !== 'inactive' && !passingUnits.test(name));
  return Object.fromEntries(busy.map(([name, state]) => [`${name} now`, state.join(' ')]));
}

/** passwd(5), group(5). */
export function readAccounts(text: string): Facts {
  return Object.fromEntries(
    linesOf(text).map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}

interface Address {
  readonly local?: string;
  readonly prefixlen?: number;
  readonly scope?: string;
}

interface Interface {
  readonly ifname: string;
  /** The bridge that it is a port of. */
  readonly master?: string;
  readonly linkinfo?: { readonly info_kind?: string };
  readonly addr_info?: readonly Address[];
}

/**
 * Interfaces and their addresses. Not the ends of pods' cables, which have random names, and nothing that follows from
 * hardware addresses, which are given anew at each boot.
 */
export function readAddresses(text: string): Facts {
  const all = JSON.parse(text) as readonly Interface[];
  const lasting = all.filter(
    ({ linkinfo, master }) => !(linkinfo?.info_kind === 'veth' && master !== undefined),
  );
  return Object.fromEntries(
    lasting.map(({ ifname, linkinfo, addr_info: addresses = [] }) => {
      const told = addresses.filter(({ scope }) => scope !== 'link');
      const list = told.map(({ local, prefixlen }) => `${local}/${prefixlen}`).toSorted();
      return [ifname, [linkinfo?.info_kind ?? 'plain', ...list].join(' ')];
    }),
  );
}

/** `ip route show table all`: one line, one route. Those of the kernel's own for IPv6 follow hardware addresses. */
export function readRoutes(text: string): Facts {
  const own = linesOf(text).map((line) => line.replaceAll(/ linkdown| expires \S+|\s+$/g, ''));
  const lasting = own.filter((line) => !/fe80:|ff00:|dev veth/.test(line));
  return Object.fromEntries(lasting.map((line) => [line, 'there']));
}

/** What is in kube-proxy's own tables follows Services and endpoints; those of iptables are told by `iptables-save`. */
const otherwise = [
  { tables: /^ip6? kube-proxy$/, says: 'kept by kube-proxy' },
  { tables: /^ip6? (?:filter|nat|mangle|raw|security)$/, says: 'kept by iptables' },
];

/** The tables of `nft --stateless list ruleset` with their rules, in their order. */
export function readRuleset(text: string): Facts {
  const tables = [...text.matchAll(/^table (\S+ \S+) \{\n([\s\S]*?)^\}$/gm)];
  return Object.fromEntries(
    tables.map(([, name = '', rules = '']) => {
      const known = otherwise.find((one) => one.tables.test(name));
      return [name, known?.says ?? rules];
    }),
  );
}

/** Chains of kube-proxy's for Services and endpoints, and of CNI's portmap for single pods. */
const followingPods = /^(?:KUBE-(?:SVC|SEP|SVL|EXT|FW|SERVICES|NODEPORTS|EXTERNAL|PROXY)|CNI-(?:DN|SN)-)/;

/** `iptables-save` or `ip6tables-save`, chain by chain; counters and comments are left out. */
export function readIptables(text: string): Facts {
  let table = '';
  const chains: Record<string, string> = {};
  for (const line of linesOf(text)) {
    if (line.startsWith('*')) table = line.slice(1);
    const chain = /^(?::|-A )(\S+) (.*)$/.exec(line.replace(/ \[\d+:\d+\]$/, ''));
    if (chain === null || followingPods.test(chain[1] ?? '')) continue;
    const [, name = '', rule = ''] = chain;
    const key = `${table} ${name}`;
    chains[key] = chains[key] === undefined ? rule : `${chains[key]}\n${rule}`;
  }
  return chains;
}

const sixth = (facts: Facts): Facts =>
  Object.fromEntries(Object.entries(facts).map(([name, rules]) => [`${name} (IPv6)`, rules]));

const unitTypes = '--type=service,socket,timer,path';
const sysctls = String.raw`^net\.(bridge\.|ipv4\.ip_forward$|ipv[46]\.conf\.(all|default)\.)`;

export const looks: readonly Look[] = [
  {
    part: 'units',
    argv: ['systemctl', 'list-unit-files', unitTypes, '--plain', '--no-legend', '--no-pager'],
    read: readUnitFiles,
  },
  {
    part: 'units',
    argv: ['systemctl', 'list-units', unitTypes, '--all', '--plain', '--no-legend', '--no-pager', '--full'],
    read: readUnits,
  },
  { part: 'users', argv: ['getent', 'passwd'], read: readAccounts },
  { part: 'groups', argv: ['getent', 'group'], read: readAccounts },
  { part: 'addresses', argv: ['ip', '-json', '-details', 'address'], read: readAddresses },
  { part: 'routes', argv: ['ip', 'route', 'show', 'table', 'all'], read: readRoutes },
  { part: 'nft', argv: ['nft', '--stateless', 'list', 'ruleset'], read: readRuleset },
  { part: 'iptables', argv: ['iptables-save'], read: readIptables },
  { part: 'iptables', argv: ['ip6tables-save'], read: (text) => sixth(readIptables(text)) },
  { part: 'sysctls', argv: ['sysctl', '--all', '--pattern', sysctls], read: (text) => byFirstWords(text, 1) },
];
