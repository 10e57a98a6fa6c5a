import { parseFieldSelector } from '@selvedge/kube';
import { segmentsOf } from './path.ts';
import type { RequestInfo, ResourceRequest } from './types.ts';

const verbsOfMethods: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};
const verbsInPath: ReadonlySet<string> = new Set(['proxy', 'watch']);
/** Subresources of a namespace; any other word behind one is a resource in it. */
const namespaceSubresources: ReadonlySet<string> = new Set(['status', 'finalize']);
const verbsWithSelectors: ReadonlySet<string> = new Set(['list', 'watch', 'deletecollection']);

interface ApiPath {
  readonly group: string;
  readonly version: string;
  /** From the resource, or a verb before it, on. Not empty. */
  readonly parts: readonly string[];
}

function apiPathOf(segments: readonly string[]): ApiPath | undefined {
  const [prefix, ...behind] = segments;
  if (prefix === 'api' && behind.length >= 2) {
    return { group: '', version: behind[0] ?? '', parts: behind.slice(1) };
  }
  if (prefix === 'apis' && behind.length >= 3) {
    return { group: behind[0] ?? '', version: behind[1] ?? '', parts: behind.slice(2) };
  }
  return undefined;
}

interface ApiWords {
  /** If the path says it. */
  readonly verb: string | undefined;
  readonly namespace: string;
  readonly resource: string;
  readonly pathName: string;
  readonly subresource: string;
  readonly rest: readonly string[];
}

/** `parts` relative to the resource. */
function placeOf(parts: readonly string[]): {
  readonly namespace: string;
  readonly parts: readonly string[];
} {
  if (parts[0] !== 'namespaces' || parts.length < 2) return { namespace: '', parts };
  const [, namespace = '', next] = parts;
  const inside = next !== undefined && !namespaceSubresources.has(next);
  return { namespace, parts: inside ? parts.slice(2) : parts };
}

/** A boolean parameter as the API server takes it: anything but `false` and `0` is true. */
export function flagOf(query: URLSearchParams, name: string): boolean | undefined {
  const value = query.get(name)?.toLowerCase();
  return value === undefined ? undefined : value !== 'false' && value !== '0';
}

/** What a list or watch is narrowed to by its field selector. */
function selectedName(query: URLSearchParams): string {
  try {
    const requirements = parseFieldSelector(query.get('fieldSelector') ?? '');
    const name = requirements.find(
      ({ field, operator }) => field === 'metadata.name' && operator === '=',
    )?.value;
    return name === undefined || name === '.' || name === '..' || /[/%]/.test(name) ? '' : name;
  } catch {
    return '';
  }
}

function collectionVerb(verb: string, query: URLSearchParams): string {
  if (verb === 'delete') return 'deletecollection';
  if (verb !== 'get') return verb;
  return flagOf(query, 'watch') === true ? 'watch' : 'list';
}

/** The words of a path behind its API version: `watch? namespaces/NS? resource name? subresource? rest`. */
function wordsOf(parts: readonly string[]): ApiWords {
  const [first = ''] = parts;
  const verbInPath = verbsInPath.has(first) && parts.length > 1;
  const place = placeOf(verbInPath ? parts.slice(1) : parts);
  const [resource = '', pathName = '', subresource = '', ...rest] = place.parts;
  const words = { verb: verbInPath ? first : undefined, namespace: place.namespace, resource, pathName };
  if (words.verb === 'proxy') return { ...words, subresource: '', rest: place.parts.slice(2) };
  return { ...words, subresource, rest };
}

function verbOf(method: string, words: ApiWords, query: URLSearchParams): string {
  if (words.verb !== undefined) return words.verb;
  const verb = verbsOfMethods[method] ?? '';
  return words.pathName === '' ? collectionVerb(verb, query) : verb;
}

function selectorsOf(query: URLSearchParams): Pick<ResourceRequest, 'labelSelector' | 'fieldSelector'> {
  return {
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
  };
}

function resourceRequest(method: string, api: ApiPath, query: URLSearchParams): ResourceRequest {
  const { group, version } = api;
  const words = wordsOf(api.parts);
  const { namespace, resource, pathName, subresource, rest } = words;
  const verb = verbOf(method, words, query);
  const verbInPath = words.verb !== undefined;
  const reads = !verbInPath && (verb === 'list' || verb === 'watch');
  const selects = !verbInPath && verbsWithSelectors.has(verb);
  return {
    kind: 'resource',
    verb,
    group,
    version,
    namespace,
    resource,
    subresource,
    name: pathName === '' && reads ? selectedName(query) : pathName,
    rest,
    verbInPath,
    ...selectorsOf(selects ? query : new URLSearchParams()),
  };
}

/**
 * What a request is about, as the API server decides it before it asks whether it is allowed. Pure. `path` is as it was
 * sent, without its query. Throws `Invalid` for paths that two programs may read differently.
 * Source: kubernetes.io "Kubernetes API Concepts", resource URIs; "Authorization", request attributes.
 */
export function parseRequestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const api = apiPathOf(segmentsOf(path));
  if (api === undefined) return { kind: 'nonResource', verb: method.toLowerCase(), path };
  return resourceRequest(method, api, query);
}
