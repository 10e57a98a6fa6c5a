import type { Clock } from '@selvedge/kit';
import { createStrangers } from '@selvedge/kit/serve';
import type { Credential, DelegatedAccess, UserInfo } from '@selvedge/kube';

/** What somebody shows, and from where. */
export interface Shown extends Credential {
  readonly remoteAddress: string;
}

/** As `DelegatedAccess`; rejects with `ResourceExhausted` for too many unknown tokens of an address. */
export type Authenticate = (shown: Shown, signal: AbortSignal) => Promise<UserInfo>;

export interface AuthenticateDeps {
  readonly access: Pick<DelegatedAccess, 'authenticate' | 'isAccepted'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** As of the kubelet API. */
const limits = {
  maxAuthentications: 8,
  maxAuthenticationsWaiting: 200,
  maxRefusals: 20,
  forgiveRefusalMs: 1_000,
};

/** Who asks. Strangers cannot have the API server asked about one made-up token after the other. */
export function createAuthenticate({ access, clock }: AuthenticateDeps): Authenticate {
  const strangers = createStrangers(limits, { clock });
  return ({ remoteAddress, certificate, bearerToken }, signal) => {
    const ask = (): Promise<UserInfo> => access.authenticate({ certificate, bearerToken }, signal);
    // Nobody is asked about a certificate, nor about a token that was accepted lately.
    const isKnown = bearerToken === undefined || access.isAccepted(bearerToken);
    return isKnown ? ask() : strangers.ask(remoteAddress, signal, ask);
  };
}
