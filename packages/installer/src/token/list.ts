import { type KubeClient, resources } from '@selvedge/kube';
import type { CommandContext } from '../command/index.ts';
import { createReading, refuseUnread, seenOr } from '../reading/index.ts';
import { type TokenInfo, infoOf, tokenNamespace, tokenType } from './token-secret.ts';

export interface TokenList {
  /** By their ids, those of kubeadm and others included. */
  readonly tokens: readonly TokenInfo[];
}

/**
 * The bootstrap tokens of a cluster. Their secrets do not leave this function. Throws `Forbidden` with `findings` for who may not
 * list them.
 */
export async function listTokens(
  deps: Pick<CommandContext, 'clock' | 'signal'> & { readonly cluster: KubeClient },
): Promise<TokenList> {
  const reading = createReading(deps);
  const selection = { namespace: tokenNamespace, fieldSelector: `type=${tokenType}` };
  const secrets = seenOr(await reading.list(resources.secrets, selection), []);
  refuseUnread('look up the tokens', reading.unread);
  const tokens = secrets.map((secret) => infoOf(secret, deps.clock.now()));
  return { tokens: tokens.toSorted((one, other) => (one.id < other.id ? -1 : 1)) };
}
