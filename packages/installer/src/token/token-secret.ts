import type { BootstrapToken } from '@selvedge/kube';
import { bootstrapGroupOf, nodesOfBootstrapGroups } from '@selvedge/api';
import type { Secret } from '@selvedge/kube/types';
import { managed } from '../changes/index.ts';

/** The group of tokens that this program makes: what they may do is bound to it. */
export const joinGroup = 'system:bootstrappers:selvedge:join';

/** On the Secret of a token: the unit that its nodes were made members of. For people: nothing is decided by it. */
const unitAnnotation = 'selvedge.io/token-unit';

export const tokenNamespace = 'kube-system';
export const tokenType = 'bootstrap.kubernetes.io/token';
const prefix = 'bootstrap-token-';

export const secretNameOf = (id: string): string => `${prefix}${id}`;

/** What a token is for. */
export interface TokenScope {
  readonly description?: string | undefined;
  /** Names of nodes; none: any new node. */
  readonly nodes: readonly string[];
  readonly unit?: string | undefined;
}

/** What is known of a token, but its secret. */
export interface TokenInfo extends TokenScope {
  readonly id: string;
  /** RFC 3339. Absent: never. */
  readonly expiresAt?: string | undefined;
  readonly isExpired: boolean;
  readonly groups: readonly string[];
}

/** RFC 3339 in whole seconds, as authenticators of any version read it. */
export const timeText = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');

/** The Secret that makes a token valid. Source: kubernetes.io "Bootstrap Token Secret Format". */
export function secretOf(
  token: BootstrapToken,
  { description, nodes, unit, expiresAtMs }: TokenScope & { readonly expiresAtMs: number },
): Secret {
  return {
    metadata: {
      namespace: tokenNamespace,
      name: secretNameOf(token.id),
      labels: managed,
      ...(unit === undefined ? {} : { annotations: { [unitAnnotation]: unit } }),
    },
    type: tokenType,
    stringData: {
      'token-id': token.id,
      'token-secret': token.secret,
      expiration: timeText(expiresAtMs),
      ...(description === undefined ? {} : { description }),
      'usage-bootstrap-authentication': 'true',
      'usage-bootstrap-signing': 'true',
      'auth-extra-groups': [joinGroup, ...nodes.map(bootstrapGroupOf)].join(','),
    },
  };
}

/** Reads the Secret of a token, of whomever. Its secret is not looked at. */
export function infoOf({ metadata, data = {} }: Secret, nowMs: number): TokenInfo {
  const field = (name: string): string | undefined => {
    const value = data[name];
    return value === undefined ? undefined : Buffer.from(value, 'base64').toString();
  };
  const groups = (field('auth-extra-groups') ?? '').split(',').filter((group) => group !== '');
  const expiresAt = field('expiration');
  return {
    id: (metadata.name ?? '').slice(prefix.length),
    description: field('description'),
    expiresAt,
    // One that cannot be read is taken for expired by the API server too.
    isExpired: expiresAt !== undefined && !(Date.parse(expiresAt) > nowMs),
    nodes: nodesOfBootstrapGroups(groups) ?? [],
    unit: metadata.annotations?.[unitAnnotation],
    groups,
  };
}
