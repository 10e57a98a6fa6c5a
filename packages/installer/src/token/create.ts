import { hasCode } from '@selvedge/kit';
import {
  type BootstrapToken,
  clusterInfoAt,
  clusterInfoSignatureKey,
  formatBootstrapToken,
  mergePatch,
  resources,
  signWithToken,
} from '@selvedge/kube';
import { type ClusterChange, applyChanges, fieldManager, planOf } from '../changes/index.ts';
import { newBootstrapToken } from './bootstrap-token.ts';
import type { ClusterInfo } from './cluster-info.ts';
import { joinCommandOf } from './join-command.ts';
import { observe } from './observe.ts';
import { type TokenPlan, planToken } from './plan-token.ts';
import { recordMade } from './record.ts';
import { checkToken } from './check-token.ts';
import { secretNameOf, secretOf, timeText, tokenNamespace } from './token-secret.ts';
import type { TokenCreateOptions, TokenCreated, TokenDeps } from './types.ts';

const maxTries = 3;

const scopeText = ({ nodes }: TokenCreateOptions): string =>
  nodes.length === 0 ? 'any new node' : `node ${nodes.join(', ')} only`;

/** Two tokens of one id are as likely as six letters that are drawn twice. */
async function makeSecret(
  options: TokenCreateOptions,
  expiresAtMs: number,
  deps: TokenDeps,
): Promise<BootstrapToken> {
  for (let tried = 1; ; tried += 1) {
    const token = newBootstrapToken(deps.randomInt);
    try {
      const secret = secretOf(token, { ...options, expiresAtMs });
      await deps.cluster.create(resources.secrets, secret, { signal: deps.signal, fieldManager });
      return token;
    } catch (error) {
      if (tried === maxTries || !hasCode(error, 'AlreadyExists')) throw error;
    }
  }
}

/** What the bootstrapsigner does within seconds where it runs, which it does not everywhere. */
async function sign(info: ClusterInfo, token: BootstrapToken, { cluster, signal }: TokenDeps): Promise<void> {
  const data = { [clusterInfoSignatureKey(token.id)]: signWithToken(info.kubeconfig, token) };
  const options = { patch: mergePatch({ data }), fieldManager, signal };
  await cluster.patch(resources.configMaps, clusterInfoAt, options);
}

async function makeToken(
  plan: TokenPlan,
  options: TokenCreateOptions,
  deps: TokenDeps,
): Promise<{ readonly token: BootstrapToken; readonly expiresAt: string }> {
  const expiresAtMs = deps.clock.now() + options.ttlMs;
  const token = await deps.progress.task('create the token', () => makeSecret(options, expiresAtMs, deps));
  try {
    await deps.progress.task('sign cluster-info', () => sign(plan.clusterInfo, token, deps));
    await deps.progress.task('test the token', (progress) => checkToken(token, { ...deps, progress }));
    return { token, expiresAt: timeText(expiresAtMs) };
  } catch (cause) {
    // Not with the signal: it may be what ended the work, and a token that nobody knows of shall not stay.
    const at = { namespace: tokenNamespace, name: secretNameOf(token.id) };
    await deps.cluster.delete(resources.secrets, at, {
      signal: new AbortController().signal,
      timeoutMs: 10_000,
    });
    throw cause;
  }
}

function changesOf(
  plan: TokenPlan,
  options: TokenCreateOptions,
): readonly Pick<ClusterChange, 'where' | 'what'>[] {
  const { unit } = options;
  const what = `create a bootstrap token for ${scopeText(options)}`;
  return [...plan.changes, { where: unit === undefined ? 'token' : `token for unit ${unit}`, what }];
}

/**
 * Makes a bootstrap token, and what the cluster needs so that machines can join by it. Before it is handed out it is
 * tried: a cluster that does not take it is told of here, not on the machine. Undefined if the plan was not agreed to.
 * Throws `Unsupported` if the cluster takes no such tokens, `Invalid`, `NotFound` and `Conflict` about units, and what
 * the API server says.
 */
export async function createToken(
  options: TokenCreateOptions,
  deps: TokenDeps,
): Promise<TokenCreated | undefined> {
  const plan = await deps.progress.task('inspect the cluster', async () =>
    planToken(options, await observe(options, deps), deps.access),
  );
  const title = `create a bootstrap token for ${scopeText(options)}`;
  if (!(await deps.agree(planOf(title, changesOf(plan, options), plan.warnings)))) return undefined;
  await applyChanges(plan.changes, deps);
  await recordMade(plan.changes, deps);
  const { token, expiresAt } = await makeToken(plan, options, deps);
  const text = formatBootstrapToken(token);
  const { nodes, unit, description } = options;
  const { server, caHash, tunnelServers } = plan;
  const created = {
    id: token.id,
    token: text,
    expiresAt,
    description,
    nodes,
    unit,
    server,
    caHash,
    tunnelServers,
  };
  return { ...created, join: joinCommandOf(created) };
}
