import type { HubResponse } from '../request.ts';

const headers = {
  'content-type': 'text/plain; charset=utf-8',
  'cache-control': 'no-cache, private',
  'x-content-type-options': 'nosniff',
} as const;

/** While the cloud is away the hub answers for itself: that it answers is all that there is to say. */
export function ownHealth(check: string, part: string, query: URLSearchParams): HubResponse {
  if (part !== '' && part !== 'ping') {
    return { status: 404, headers, body: Buffer.from('404 page not found\n') };
  }
  const verbose = part === '' && query.has('verbose');
  const text = verbose ? `[+]ping ok\n[+]hub ok\n${check} check passed\n` : 'ok';
  return { status: 200, headers, body: Buffer.from(text) };
}
