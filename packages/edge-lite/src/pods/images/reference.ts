import { SelvedgeError } from '@selvedge/kit';

/** An image's name in its parts. */
export interface ImageReference {
  /** `docker.io`, `registry.example:5000` */
  readonly registry: string;
  /** `library/busybox` */
  readonly path: string;
  /** `latest` if neither a tag nor a digest was given. */
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

const label = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const host = `(?:${label}(?:\\.${label})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const grammar = {
  registry: new RegExp(`^${host}$`),
  path: new RegExp(`^${component}(?:/${component})*$`),
  tag: /^\w[\w.-]{0,127}$/,
  digest: /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/,
};
const maxNameLength = 255;

function invalid(image: string, why: string): SelvedgeError {
  return new SelvedgeError(`couldn't parse image name "${image}": ${why}`, { code: 'Invalid' });
}

/** `name[:tag][@digest]`; a colon before the last slash belongs to the registry's port. */
function split(image: string): { name: string; tag: string | undefined; digest: string | undefined } {
  const [named = '', ...digests] = image.split('@');
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  return {
    name: colon < 0 ? named : named.slice(0, colon),
    tag: colon < 0 ? undefined : named.slice(colon + 1),
    digest: digests.length === 0 ? undefined : digests.join('@'),
  };
}

/** The first part is a registry if it can be no part of a path. */
function locate(name: string): { registry: string; path: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(0, slash));
  const isRegistry =
    first !== '' && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  if (!isRegistry) return { registry: 'docker.io', path: slash < 0 ? `library/${name}` : name };
  const path = name.slice(slash + 1);
  if (first !== 'index.docker.io' && first !== 'docker.io') return { registry: first, path };
  return { registry: 'docker.io', path: path.includes('/') ? path : `library/${path}` };
}

function optional(pattern: RegExp, part: string | undefined): boolean {
  return part === undefined || pattern.test(part);
}

/**
 * Takes an image's name apart as the kubelet does. Throws `Invalid`.
 * Source: https://github.com/distribution/reference (`ParseNormalizedNamed`), https://kubernetes.io/docs/concepts/containers/images/#image-names
 */
export function parseImageReference(image: string): ImageReference {
  const { name, tag, digest } = split(image);
  if (/^[a-f0-9]{64}$/.test(name)) throw invalid(image, 'cannot specify 64-byte hexadecimal strings');
  const { registry, path } = locate(name);
  if (path !== path.toLowerCase()) {
    throw invalid(image, 'invalid reference format: repository name must be lowercase');
  }
  const fits = grammar.registry.test(registry) && grammar.path.test(path);
  if (!fits || !optional(grammar.tag, tag) || !optional(grammar.digest, digest)) {
    throw invalid(image, 'invalid reference format');
  }
  if (`${registry}/${path}`.length > maxNameLength) {
    throw invalid(image, `repository name must not be more than ${maxNameLength} characters`);
  }
  const implied = tag === undefined && digest === undefined ? 'latest' : tag;
  return { registry, path, tag: implied, digest };
}

/** The name as the runtime is asked for it: as it was written, with the tag that it implies. */
export function withDefaultTag(image: string): string {
  const { tag, digest } = parseImageReference(image);
  return digest === undefined && tag !== undefined && !image.endsWith(`:${tag}`) ? `${image}:${tag}` : image;
}

/** What the API server fills in too: a tag that may move is looked up each time. */
export function defaultPullPolicy(image: string): 'Always' | 'IfNotPresent' {
  const { tag, digest } = parseImageReference(image);
  return tag === 'latest' && digest === undefined ? 'Always' : 'IfNotPresent';
}
