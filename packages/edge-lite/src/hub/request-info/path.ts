import { SelvedgeError } from '@selvedge/kit';

/** The segments that decide what a request is about; what comes behind belongs to a subresource like `proxy`. */
const decidingSegments = 8;

function refuse(path: string, why: string): SelvedgeError {
  return new SelvedgeError(`path ${JSON.stringify(path.slice(0, 200))} ${why}`, { code: 'Invalid' });
}

function decode(path: string, segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    throw new SelvedgeError(`path ${JSON.stringify(path.slice(0, 200))} is not percent-encoded UTF-8`, {
      code: 'Invalid',
      cause,
    });
  }
}

/**
 * The decoded segments of a path, without empty ones at either end. Throws `Invalid` for what two programs may read as
 * two paths: dot segments, and, where the resource is named, empty segments and encoded slashes.
 */
export function segmentsOf(path: string): readonly string[] {
  const trimmed = path.replaceAll(/^\/+|\/+$/g, '');
  if (trimmed === '') return [];
  return trimmed.split('/').map((raw, at) => {
    const segment = decode(path, raw);
    if (segment === '.' || segment === '..') throw refuse(path, 'has a dot segment');
    if (segment.includes('\0')) throw refuse(path, 'has a NUL');
    if (at < decidingSegments && segment === '') throw refuse(path, 'has an empty segment');
    if (at < decidingSegments && segment.includes('/')) throw refuse(path, 'has an encoded slash');
    return segment;
  });
}
