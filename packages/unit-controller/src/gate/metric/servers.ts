import { SelvedgeError } from '@selvedge/kit';

/** A server that may be asked, and where on it. */
export interface AllowedServer {
  /** `scheme://host:port`, the scheme's own port left out. */
  readonly origin: string;
  /** `/`, or a path; what is asked for is this or below it. */
  readonly path: string;
}

/** Throws `Invalid` for what is no http or https URL, or has a user, a query or a fragment. Pure. */
export function parseServer(text: string): AllowedServer {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new SelvedgeError(`${text} is not an http or https URL`, { code: 'Invalid' });
  }
  if (`${url.username}${url.password}${url.search}${url.hash}` !== '') {
    throw new SelvedgeError(`${text} has a user, a query or a fragment`, { code: 'Invalid' });
  }
  return { origin: url.origin, path: url.pathname };
}

/** Some servers take these apart after they have compared the path. */
const hiddenSeparator = /%(2f|5c)/i;

function isBelow(path: string, allowed: string): boolean {
  if (allowed === '/') return true;
  const folder = allowed.endsWith('/') ? allowed : `${allowed}/`;
  return (path === allowed || path.startsWith(folder)) && !hiddenSeparator.test(path);
}

/**
 * The first of the servers that may be asked for this URL; undefined: none. URLs are compared as they are dialled, after the
 * URL standard has settled case, dots, default ports and how an address is written. Source: WHATWG URL. Pure.
 */
export function serverFor<T extends AllowedServer>(servers: readonly T[], url: URL): T | undefined {
  if (url.username !== '' || url.password !== '') return undefined;
  return servers.find(({ origin, path }) => origin === url.origin && isBelow(url.pathname, path));
}
