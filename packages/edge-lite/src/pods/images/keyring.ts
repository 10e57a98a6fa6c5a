import type { Secret } from '@selvedge/kube/types';

import type { PullAuth } from '../../runtime/index.ts';
import type { ImageReference } from './reference.ts';

/** Credentials and the registry, or part of one, that they are for: `registry.example:5000/team`. */
interface Key {
  readonly location: string;
  readonly auth: PullAuth;
}

type Entries = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Entries {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function parseJson(base64: string | undefined): Entries {
  try {
    const value: unknown = JSON.parse(Buffer.from(base64 ?? '', 'base64').toString());
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function entriesOf(secret: Secret): Entries {
  if (secret.type === 'kubernetes.io/dockerconfigjson') {
    const { auths } = parseJson(secret.data?.['.dockerconfigjson']);
    return isObject(auths) ? auths : {};
  }
  if (secret.type === 'kubernetes.io/dockercfg') return parseJson(secret.data?.['.dockercfg']);
  return {};
}

/** `/v1/` and `/v2/` are the registry's own and say nothing about the image. */
function locationOf(key: string): string {
  const bare = key.replace(/^https?:\/\//, '');
  const slash = bare.indexOf('/');
  if (slash < 0) return bare;
  const path = bare.slice(slash).replace(/^\/v[12]\//, '/');
  return path === '/' ? bare.slice(0, slash) : bare.slice(0, slash) + path;
}

/** `auth` holds `username:password` and wins over the two fields, as in Docker's configuration. */
function authOf(entry: unknown): PullAuth | undefined {
  if (!isObject(entry)) return undefined;
  const auth = text(entry['auth']);
  if (auth === '') return { username: text(entry['username']), password: text(entry['password']) };
  const decoded = Buffer.from(auth, 'base64').toString();
  const colon = decoded.indexOf(':');
  return colon < 0 ? undefined : { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

function keysOf(secrets: readonly Secret[]): readonly Key[] {
  const keys = secrets.flatMap((secret) =>
    Object.entries(entriesOf(secret)).flatMap(([key, entry]) => {
      const auth = authOf(entry);
      return auth === undefined ? [] : [{ location: locationOf(key), auth }];
    }),
  );
  // Longer paths first: team/app wins over team.
  return keys.toSorted((a, b) => (a.location > b.location ? -1 : Number(a.location < b.location)));
}

function splitHost(location: string): { parts: readonly string[]; port: string; path: string } {
  const slash = location.indexOf('/');
  const host = slash < 0 ? location : location.slice(0, slash);
  const [, name = host, port = ''] = /^(.*?)(?::(\d+))?$/.exec(host) ?? [];
  return { parts: name.split('.'), port, path: slash < 0 ? '' : location.slice(slash) };
}

/** One part of a host name, in which `*` and `?` stand for any characters and any one. */
function partMatches(glob: string, part: string): boolean {
  const source = glob
    .replace(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(part);
}

/** Whether credentials for `location` are for this image: equal port, host by parts, path a prefix. */
function covers(location: string, image: string): boolean {
  const glob = splitHost(location);
  const target = splitHost(image);
  return (
    glob.port === target.port &&
    glob.parts.length === target.parts.length &&
    target.path.startsWith(glob.path) &&
    glob.parts.every((part, index) => partMatches(part, target.parts[index] ?? ''))
  );
}

/**
 * The credentials in a pod's pull secrets that may serve for an image, the most specific first. Secrets of other types and
 * with broken content are passed over.
 * Source: https://kubernetes.io/docs/concepts/containers/images/#config-json, `pkg/credentialprovider/keyring.go`.
 */
export function credentialsFor(image: ImageReference, secrets: readonly Secret[]): readonly PullAuth[] {
  const keys = keysOf(secrets);
  const name = `${image.registry}/${image.path}`;
  const found = keys.filter((key) => covers(key.location, name));
  if (found.length > 0 || image.registry !== 'docker.io') return found.map(({ auth }) => auth);
  return keys.filter((key) => key.location === 'index.docker.io').map(({ auth }) => auth);
}
