import { hasCode } from '@selvedge/kit';
import { translateBody } from '../bodies/index.ts';
import { upstreamText } from '../replica/index.ts';
import type { Upstream } from '../upstream/types.ts';
import type { RingedEvent } from './ringed-event.ts';

/** `later`: the API server is away or busy. `refused`: it will never take it, or not from this sender any more. */
export type Sent = 'sent' | 'refused' | 'later';
export type EventSender = (event: RingedEvent, signal: AbortSignal) => Promise<Sent>;

const conflict = 409;
const busy: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

function meaningOf(status: number): Sent {
  if (status < 300 || status === conflict) return 'sent';
  return busy.has(status) ? 'later' : 'refused';
}

/** In its sender's name. One that is there already came through in an attempt whose answer was lost. */
export function createEventSender(deps: { readonly upstream: Pick<Upstream, 'send'> }): EventSender {
  return async ({ caller, verb, path, body }, signal) => {
    const headers = {
      accept: 'application/json',
      'content-type': verb === 'create' ? 'application/json' : 'application/merge-patch+json',
    };
    const method = verb === 'create' ? 'POST' : 'PATCH';
    try {
      const bytes = Buffer.from(JSON.stringify(body));
      const sent = translateBody({ contentType: headers['content-type'], bytes }, upstreamText);
      const request = { method, path, headers, body: sent, signal };
      const response = await deps.upstream.send(caller, request);
      response.body.on('error', () => undefined).resume();
      return meaningOf(response.status);
    } catch (error) {
      signal.throwIfAborted();
      if (hasCode(error, 'Unauthenticated', 'Forbidden')) return 'refused';
      if (hasCode(error, 'Unavailable', 'DeadlineExceeded')) return 'later';
      throw error;
    }
  };
}
