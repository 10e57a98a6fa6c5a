import { type KubeClient, clusterInfoAt, clusterInfoSignatureKey, ifFound, resources } from '@selvedge/kube';
import { type ClusterChange, applyChanges, planOf } from '../changes/index.ts';
import type { CommandContext } from '../command/index.ts';
import { listTokens } from './list.ts';
import { type TokenInfo, secretNameOf, tokenNamespace } from './token-secret.ts';

export interface TokensDeleted {
  /** Ids. */
  readonly deleted: readonly string[];
  /** Those that were not there. */
  readonly absent: readonly string[];
}

const forWhom = ({ nodes }: TokenInfo): string =>
  nodes.length === 0 ? 'any new node' : `node ${nodes.join(', ')}`;

async function signedIds(deps: {
  readonly cluster: KubeClient;
  readonly signal: AbortSignal;
}): Promise<ReadonlySet<string>> {
  const { cluster, signal } = deps;
  const info = await ifFound(cluster.get(resources.configMaps, clusterInfoAt, { signal }));
  return new Set(Object.keys(info?.data ?? {}));
}

function changesOf(token: TokenInfo, signed: ReadonlySet<string>): readonly ClusterChange[] {
  const where = `token ${token.id}`;
  const key = clusterInfoSignatureKey(token.id);
  const unsign: ClusterChange = {
    where,
    what: 'remove its signature from kube-public/cluster-info',
    write: {
      kind: 'merge',
      resource: resources.configMaps,
      at: clusterInfoAt,
      body: { data: { [key]: null } },
    },
  };
  const drop: ClusterChange = {
    where,
    what: `delete token ${token.id}, valid for ${forWhom(token)}`,
    write: {
      kind: 'delete',
      resource: resources.secrets,
      at: { namespace: tokenNamespace, name: secretNameOf(token.id) },
    },
  };
  return signed.has(key) ? [drop, unsign] : [drop];
}

/**
 * Deletes tokens; nodes that joined by them stay. One that is not there is told of and is no error. Undefined if the
 * plan was not agreed to.
 */
export async function deleteTokens(
  ids: readonly string[],
  deps: CommandContext & { readonly cluster: KubeClient },
): Promise<TokensDeleted | undefined> {
  const { tokens } = await listTokens(deps);
  const signed = await signedIds(deps);
  const found = tokens.filter(({ id }) => ids.includes(id));
  const absent = ids.filter((id) => !found.some((token) => token.id === id));
  const changes = found.flatMap((token) => changesOf(token, signed));
  const warnings = absent.map((id) => `there is no token ${id}`);
  if (!(await deps.agree(planOf('delete bootstrap tokens', changes, warnings)))) return undefined;
  await applyChanges(changes, deps);
  return { deleted: found.map(({ id }) => id), absent };
}
