/** What a path outside of resources is about. */
export type DocumentPath =
  /** Kept for the time without the cloud: discovery, OpenAPI, version, OIDC. */
  | { readonly kind: 'document' }
  | { readonly kind: 'health'; readonly check: 'healthz' | 'livez' | 'readyz'; readonly part: string }
  | { readonly kind: 'other' };

const documents: readonly RegExp[] = [
  /^\/api(?:\/[^/]+)?$/,
  /^\/apis(?:\/[^/]+){0,2}$/,
  /^\/openapi\/v2$/,
  /^\/openapi\/v3(?:\/.*)?$/,
  /^\/version$/,
  /^\/\.well-known\/openid-configuration$/,
  /^\/openid\/v1\/jwks$/,
];

/** Without a slash at its end. */
export const plainPath = (path: string): string => path.replace(/\/+$/, '');

export function documentPath(path: string): DocumentPath {
  const plain = plainPath(path);
  const health = /^\/(healthz|livez|readyz)(?:\/(.*))?$/.exec(plain);
  if (health !== null) {
    const [, check, part = ''] = health;
    return { kind: 'health', check: check as 'healthz' | 'livez' | 'readyz', part };
  }
  return { kind: documents.some((pattern) => pattern.test(plain)) ? 'document' : 'other' };
}
