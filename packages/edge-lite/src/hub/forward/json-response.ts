import type { HubResponse } from '../request.ts';

/** An answer of ours, as the API server would send it. */
export function jsonResponse(status: number, document: object | string): HubResponse {
  const body = Buffer.from(typeof document === 'string' ? document : JSON.stringify(document));
  const headers = {
    'content-type': 'application/json',
    'cache-control': 'no-cache, private',
    'content-length': String(body.length),
  };
  return { status, headers, body };
}
