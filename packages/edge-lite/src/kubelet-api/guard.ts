import type { IncomingHttpHeaders } from 'node:http';
import { SelvedgeError } from '@selvedge/kit';
import type { DelegatedAccess, UserInfo } from '@selvedge/kube';
import { type Strangers, bearerTokenOf } from '@selvedge/kit/serve';
import type { Link } from './link.ts';
import { type Target, attributesOf } from './routing/index.ts';

/** Lets through who may. */
export interface Guard {
  /** Rejects with `Unauthenticated` or `Forbidden`, in the kubelet's words; 429 for too many unknown tokens. */
  admit(request: Asked, signal: AbortSignal): Promise<UserInfo>;
}

export interface Asked {
  readonly link: Link;
  readonly headers: IncomingHttpHeaders;
  readonly target: Target;
}

export interface GuardDeps {
  readonly access: DelegatedAccess;
  readonly strangers: Strangers;
}

const forbidden = (user: UserInfo, verb: string, subresources: readonly string[]): SelvedgeError =>
  new SelvedgeError(
    `Forbidden (user=${user.username}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(' ')}])`,
    { code: 'Forbidden' },
  );

export function createGuard({ nodeName }: { readonly nodeName: string }, deps: GuardDeps): Guard {
  const { access, strangers } = deps;
  const userOf = async ({ link, headers }: Asked, signal: AbortSignal): Promise<UserInfo> => {
    const { certificate, remoteAddress } = link;
    const bearerToken = bearerTokenOf(headers);
    const ask = (): Promise<UserInfo> => access.authenticate({ certificate, bearerToken }, signal);
    // A certificate costs nobody anything, and who was taken on this connection before is no stranger.
    if (bearerToken === undefined || bearerToken === link.lastToken) return ask();
    // All clients of a tunnel come from one address: those known lately must not pay for strangers among them.
    const isKnown = access.isAccepted(bearerToken);
    const user = isKnown ? await ask() : await strangers.ask(remoteAddress, signal, ask);
    link.lastToken = bearerToken;
    return user;
  };
  return {
    async admit(asked, signal) {
      const user = await userOf(asked, signal);
      const wanted = attributesOf(asked.target, nodeName);
      for (const attributes of wanted) {
        if ((await access.authorize({ user, attributes }, signal)).allowed) return user;
      }
      const subresources = wanted.map((one) => (one.kind === 'resource' ? one.subresource : ''));
      throw forbidden(user, wanted[0]?.verb ?? '', subresources);
    },
  };
}
