import { createHmac, timingSafeEqual } from 'node:crypto';
import { sshDefaults } from './options.ts';

/** What a file of known hosts says of the key that a server showed. */
export type HostKeyVerdict =
  | { readonly kind: 'known' }
  /** The name is not in the file. */
  | { readonly kind: 'unknown' }
  /** The name is there, with other keys: somebody is between, or the machine was set up anew. */
  | { readonly kind: 'changed'; readonly line: number }
  /** The key is marked as stolen. */
  | { readonly kind: 'revoked'; readonly line: number };

interface Entry {
  readonly line: number;
  readonly marker: string | undefined;
  readonly patterns: readonly string[];
  readonly type: string;
  readonly key: string;
}

function parse(text: string): readonly Entry[] {
  return text.split('\n').flatMap((raw, at): readonly Entry[] => {
    const words = raw.trim().split(/\s+/);
    const marker = words[0]?.startsWith('@') === true ? words.shift() : undefined;
    const [names, type, key] = words;
    if (names === undefined || names.startsWith('#') || type === undefined || key === undefined) return [];
    return [{ line: at + 1, marker, patterns: names.split(','), type, key }];
  });
}

function isHashOf(pattern: string, name: string): boolean {
  const [, , salt, hash] = pattern.split('|');
  if (salt === undefined || hash === undefined) return false;
  const wanted = Buffer.from(hash, 'base64');
  const made = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  return wanted.length === made.length && timingSafeEqual(wanted, made);
}

function matches(pattern: string, name: string): boolean {
  if (pattern.startsWith('|1|')) return isHashOf(pattern, name);
  const words = pattern.toLowerCase().replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${words.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(name);
}

function isFor({ patterns }: Entry, name: string): boolean {
  const [not, yes] = [
    patterns.filter((one) => one.startsWith('!')),
    patterns.filter((one) => !one.startsWith('!')),
  ];
  return yes.some((one) => matches(one, name)) && !not.some((one) => matches(one.slice(1), name));
}

interface Server {
  readonly host: string;
  readonly port: number;
}

/** How a file calls a server: with its port, unless that is the usual one. */
function nameOf({ host, port }: Server): string {
  const name = host.toLowerCase();
  return port === sshDefaults.port ? name : `[${name}]:${port}`;
}

/** The type that an SSH key in its wire form begins with. Source: RFC 4253, 6.6. */
function typeOf(key: Buffer): string {
  return key.length < 4 ? '' : key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1');
}

/**
 * Judges the host key of a server by `known_hosts` files: hashed names, patterns, ports, `@revoked`. Certificates of an
 * authority (`@cert-authority`) are not understood. Source: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".
 */
export function judgeHostKey(knownHosts: string, server: Server, shown: Buffer): HostKeyVerdict {
  const name = nameOf(server);
  const entries = parse(knownHosts).filter((entry) => isFor(entry, name));
  const same = (entry: Entry): boolean =>
    entry.type === typeOf(shown) && Buffer.from(entry.key, 'base64').equals(shown);
  const revoked = entries.find((entry) => entry.marker === '@revoked' && same(entry));
  if (revoked !== undefined) return { kind: 'revoked', line: revoked.line };
  const trusted = entries.filter(({ marker }) => marker === undefined);
  if (trusted.some(same)) return { kind: 'known' };
  const [other] = trusted;
  return other === undefined ? { kind: 'unknown' } : { kind: 'changed', line: other.line };
}

/** The key types that a file has for a server: a client asks for these first, as `ssh` does. */
export function knownKeyTypes(knownHosts: string, server: Server): readonly string[] {
  const name = nameOf(server);
  const types = parse(knownHosts).filter((entry) => entry.marker === undefined && isFor(entry, name));
  return [...new Set(types.map(({ type }) => type))];
}
