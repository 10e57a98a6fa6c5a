import { type KubeClient, resources } from '@selvedge/kube';
import type { CommandContext } from '../command/index.ts';
import { type TokenInfo, infoOf, tokenNamespace, tokenType } from './token-secret.ts';

export interface TokenList {
  /** By their ids, those of kubeadm and others included. */
  readonly tokens: readonly TokenInfo[];
}

/** The bootstrap tokens of a cluster. Their secrets do not leave this function. */
export async function listTokens(
  deps: Pick<CommandContext, 'clock' | 'signal'> & { readonly cluster: KubeClient },
): Promise<TokenList> {
  const { clock, signal, cluster } = deps;
  const fieldSelector = `type=${tokenType}`;
  const { items } = await cluster.listAll(resources.secrets, {
    namespace: tokenNamespace,
    fieldSelector,
    signal,
  });
  const tokens = items.map((secret) => infoOf(secret, clock.now()));
  return { tokens: tokens.toSorted((one, other) => (one.id < other.id ? -1 : 1)) };
}
