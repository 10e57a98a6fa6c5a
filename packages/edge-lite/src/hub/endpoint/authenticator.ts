import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '@selvedge/kit';
import type { Access } from '../access/types.ts';
import type { Caller } from '../request.ts';
import { bearerTokenOf } from './headers.ts';
import type { Link } from './link.ts';

/** Who sends a request, asked once for all requests that a connection's certificate vouches for. */
export interface Authenticator {
  callerOf(link: Link, headers: IncomingHttpHeaders, signal: AbortSignal): Promise<Caller>;
}

/** Whether a certificate is somebody's here may change. */
const rememberMs = 10 * 60_000;

export function createAuthenticator(deps: {
  readonly access: Pick<Access, 'authenticate'>;
  readonly clock: Pick<Clock, 'now'>;
}): Authenticator {
  const { access, clock } = deps;
  return {
    async callerOf(link, headers, signal) {
      const bearerToken = bearerTokenOf(headers);
      const nowMs = clock.now();
      if (bearerToken === undefined && link.known !== undefined && nowMs < link.known.untilMs) {
        return link.known.caller;
      }
      const { remoteAddress, certificate } = link;
      const endsMs = certificate?.validToDate.getTime() ?? 0;
      const shown = nowMs < endsMs ? certificate?.raw : undefined;
      const caller = await access.authenticate({ certificate: shown, bearerToken, remoteAddress }, signal);
      if (bearerToken === undefined) link.known = { caller, untilMs: Math.min(endsMs, nowMs + rememberMs) };
      return caller;
    },
  };
}
