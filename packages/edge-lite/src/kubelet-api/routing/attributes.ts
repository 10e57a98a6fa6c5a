import type { AccessAttributes } from '@selvedge/kube';
import type { Target } from './target.ts';

/** HEAD, and what nobody knows, has none: only who may do everything may do it. */
const verbs: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** Those that come before `proxy`, which allows them too. Source: KEP-2862. */
const fineGrained = [
  ['/pods', 'pods'],
  ['/healthz', 'healthz'],
  ['/configz', 'configz'],
  ['/runningpods', 'pods'],
] as const;

/** Those that `proxy` does not allow. */
const own = [
  ['/stats', 'stats'],
  ['/metrics', 'metrics'],
  ['/logs', 'log'],
  ['/checkpoint', 'checkpoint'],
  ['/statusz', 'statusz'],
  ['/flagz', 'configz'],
] as const;

type Table = readonly (readonly [prefix: string, subresource: string])[];

/** `/pods` and what is below it, but not `/podsandmore`. */
const lookUp = (table: Table, path: string): string | undefined =>
  table.find(([prefix]) => path === prefix || path.startsWith(`${prefix}/`))?.[1];

/** The subresources of Nodes of which one must be allowed, in the order in which they are asked about. Pure. */
function subresourcesOf(path: string): readonly string[] {
  const fine = lookUp(fineGrained, path);
  return [...(fine === undefined ? [] : [fine]), lookUp(own, path) ?? 'proxy'];
}

/** What a user must be allowed, one of them. Pure. Source: `pkg/kubelet/server/auth.go`. */
export function attributesOf({ method, path }: Target, nodeName: string): readonly AccessAttributes[] {
  return subresourcesOf(path).map((subresource) => ({
    kind: 'resource',
    verb: verbs[method] ?? '',
    group: '',
    version: 'v1',
    resource: 'nodes',
    subresource,
    namespace: '',
    name: nodeName,
    labelSelector: '',
    fieldSelector: '',
  }));
}
