import { isIP } from 'node:net';

/** A TCP port of a host: a name, or an address, an IPv6 one without brackets. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const label = '[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?';
const hostName = new RegExp(`^${label}(\\.${label})*$`, 'i');
const authority = /^(\[([0-9a-f:.]{2,45})\]|([^:[\]]{1,253})):([1-9][0-9]{0,4})$/i;

/** `host:port`, `192.0.2.1:443`, `[2001:db8::1]:443`; undefined for anything else. Source: RFC 9113 section 8.5. */
export function parseHostPort(text: string): HostPort | undefined {
  const match = authority.exec(text);
  const [, , address, name, digits] = match ?? [];
  const port = Number(digits);
  if (match === null || port > 65_535) return undefined;
  if (address !== undefined) return isIP(address) === 6 ? { host: address, port } : undefined;
  if (name === undefined || !(isIP(name) === 4 || isHostName(name))) return undefined;
  return { host: name, port };
}

/** A name whose last label is all digits is an address that is none. Source: WHATWG URL, "ends in a number". */
function isHostName(name: string): boolean {
  return hostName.test(name) && !/(^|\.)[0-9]+$/.test(name);
}

/** The text of it, as `parseHostPort` reads it. */
export const formatHostPort = ({ host, port }: HostPort): string =>
  isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
