import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '@selvedge/kit';
import { type Strangers, bearerTokenOf } from '@selvedge/kit/serve';
import type { Access } from '../access/types.ts';
import type { Caller } from '../request.ts';
import type { Link } from './link.ts';

/** Who sends a request, asked once for all requests that a connection's certificate vouches for. */
export interface Authenticator {
  callerOf(link: Link, headers: IncomingHttpHeaders, signal: AbortSignal): Promise<Caller>;
}

export interface AuthenticatorDeps {
  readonly access: Pick<Access, 'authenticate'>;
  readonly strangers: Strangers;
  readonly clock: Pick<Clock, 'now'>;
}

/** Whether a certificate is somebody's here may change. */
const rememberMs = 10 * 60_000;

/** Whether a certificate vouches without further questions. One that has ended is passed on: in a cut it may count. */
const isVouchedFor = ({ certificate }: Link, nowMs: number): boolean =>
  certificate !== undefined && nowMs < certificate.validToDate.getTime();

export function createAuthenticator({ access, strangers, clock }: AuthenticatorDeps): Authenticator {
  const ofToken = async (link: Link, bearerToken: string, signal: AbortSignal): Promise<Caller> => {
    const { remoteAddress } = link;
    const certificate = link.certificate?.raw;
    const ask = (): Promise<Caller> =>
      access.authenticate({ certificate, bearerToken, remoteAddress }, signal);
    // A certificate costs nothing, and who was taken on this connection before is no stranger.
    const isKnown = isVouchedFor(link, clock.now()) || link.lastToken === bearerToken;
    const caller = isKnown ? await ask() : await strangers.ask(remoteAddress, signal, ask);
    link.lastToken = bearerToken;
    return caller;
  };
  return {
    async callerOf(link, headers, signal) {
      const bearerToken = bearerTokenOf(headers);
      const nowMs = clock.now();
      const { known, remoteAddress } = link;
      if (bearerToken !== undefined) return ofToken(link, bearerToken, signal);
      if (known !== undefined && nowMs < known.untilMs) return known.caller;
      const certificate = link.certificate?.raw;
      const caller = await access.authenticate({ certificate, bearerToken, remoteAddress }, signal);
      const endsMs = link.certificate?.validToDate.getTime() ?? 0;
      link.known = { caller, untilMs: Math.min(endsMs, nowMs + rememberMs) };
      return caller;
    },
  };
}
