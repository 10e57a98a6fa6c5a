import { SelvedgeError } from '@selvedge/kit';

/** What a request line asks for. */
export interface Target {
  readonly method: string;
  readonly path: string;
  /** Between the slashes; one slash at the end counts for nothing. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

/** Letters, digits and what names of pods, containers and metrics have besides. Source: RFC 3986 section 2.3. */
const segment = /^[\w~.-]+$/;

const notAPath = (): SelvedgeError =>
  new SelvedgeError('the request target is not a path of this API', { code: 'Invalid' });

/**
 * Throws `Invalid` for what is no path or may be read as two: what is decided about must be what is served. No name in this
 * API needs percent signs. Pure.
 */
export function targetOf(method: string, url: string): Target {
  const at = url.indexOf('?');
  const path = at < 0 ? url : url.slice(0, at);
  if (!path.startsWith('/')) throw notAPath();
  const query = new URLSearchParams(at < 0 ? '' : url.slice(at + 1));
  const inner = path.replace(/^\/|\/$/g, '');
  const segments = inner === '' ? [] : inner.split('/');
  for (const one of segments) {
    if (!segment.test(one) || one === '.' || one === '..') throw notAPath();
  }
  return { method, path, segments, query };
}
