import { badRequest, statusError } from '../answers/index.ts';
import { type RequestInfo, type ResourceRequest, flagOf, parseRequestInfo } from '../request-info/index.ts';

/** What a request line asks for. */
export interface Target {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly info: RequestInfo;
  /** It stays for as long as the client likes. */
  readonly longRunning: boolean;
}

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);
/** Space, controls and what may not be in a request target. Source: RFC 3986 section 2. */
const forbidden = /[^!-~]|[#\\]/;

function isLongRunning(info: RequestInfo, query: URLSearchParams): boolean {
  if (info.kind === 'nonResource') return false;
  const { verb, subresource } = info;
  return (
    verb === 'watch' || subresource === 'proxy' || (subresource === 'log' && flagOf(query, 'follow') === true)
  );
}

/** Throws 405 for other methods, 400 for what is no path or may be read as two. Pure. */
export function targetOf(method: string, url: string): Target {
  if (!methods.has(method)) {
    throw statusError('Unsupported', `the method ${method} is not allowed`, {
      status: 405,
      reason: 'MethodNotAllowed',
    });
  }
  if (!url.startsWith('/') || forbidden.test(url)) throw badRequest('the request target is not a path');
  const at = url.indexOf('?');
  const path = at < 0 ? url : url.slice(0, at);
  const query = new URLSearchParams(at < 0 ? '' : url.slice(at + 1));
  const info = parseRequestInfo(method, path, query);
  return { method, path, query, info, longRunning: isLongRunning(info, query) };
}

/** Source: kubernetes.io API reference, the operations of pods, services and nodes that connect. */
const connecting: ReadonlySet<string> = new Set([
  'pods/attach',
  'pods/exec',
  'pods/portforward',
  'pods/proxy',
  'services/proxy',
  'nodes/proxy',
]);
const ofEveryResource: ReadonlySet<string> = new Set(['', 'status', 'scale']);

/** Custom resources have none of their own: another one belongs to an aggregated API, which alone knows what it speaks. */
const isAggregated = ({ group, subresource }: ResourceRequest): boolean =>
  group.includes('.') && !group.endsWith('.k8s.io') && !ofEveryResource.has(subresource);

/** Whether a request may turn its connection over to another protocol; it is never one that the hub answers itself. Pure. */
export function mayConnect({ info }: Target): boolean {
  if (info.kind === 'nonResource' || info.verbInPath || info.name === '') return false;
  if (info.group !== '') return isAggregated(info);
  return connecting.has(`${info.resource}/${info.subresource}`);
}
