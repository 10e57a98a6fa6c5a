import { isIP } from 'node:net';
import { createIpRanges, isIpRange } from '@selvedge/kit/net';
import { type Target, parseTarget } from '@selvedge/tunnel';

/** One further permission of the config. */
export interface Rule {
  /** Whether a target, its host in lower case, is one of those that are meant. */
  matches(target: Target): boolean;
}

type MatchHost = (host: string) => boolean;

/** Networks and addresses are compared as numbers: an IPv6 address has many spellings. */
const matchNetwork = (network: string): MatchHost | undefined =>
  isIpRange(network) ? createIpRanges([network]) : undefined;

/** `192.0.2.1`, `192.0.2.0/24` and the same of IPv6. */
function matchAddress(text: string): MatchHost | undefined {
  const [, network = '', bits] = /^([^/]+?)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const all = isIP(network) === 6 ? 128 : 32;
  return matchNetwork(`${network}/${bits ?? all}`);
}

/** IPv6 in brackets, IPv4 and names without. */
function matchHost(text: string): MatchHost | undefined {
  const [, bracketed] = /^\[(.*)\]$/.exec(text) ?? [];
  if (bracketed !== undefined) return bracketed.includes(':') ? matchAddress(bracketed) : undefined;
  if (text.includes(':')) return undefined;
  const name = text.toLowerCase();
  if (isIP(text) !== 4 && parseTarget(`${name}:1`) !== undefined) return (host) => host === name;
  return matchAddress(text);
}

/**
 * Reads `host:port`, `host:first-last`, `192.168.7.0/24:502`, `[2001:db8::/32]:443`; undefined for anything else. A name
 * means those who ask by this name, whatever its address is; a network, those who ask by an address.
 */
export function parseRule(text: string): Rule | undefined {
  const [, host = '', digits = '', end = digits] =
    /^(.+):([1-9]\d{0,4})(?:-([1-9]\d{0,4}))?$/.exec(text) ?? [];
  const [first, last] = [Number(digits), Number(end)];
  const isHost = matchHost(host);
  if (isHost === undefined || first < 1 || first > last || last > 65_535) return undefined;
  return { matches: (target) => target.port >= first && target.port <= last && isHost(target.host) };
}
