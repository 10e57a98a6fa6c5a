import { type Clock, type Logger, SelvedgeError, hasCode } from '@selvedge/kit';
import {
  type CredentialSource,
  type KubeClient,
  type OpenTcp,
  formatBootstrapToken,
  ifFound,
  newTokenHint,
  resources,
  staticCredentials,
} from '@selvedge/kube';
import { discoverClusterCa } from './discover.ts';
import { clientPurpose } from './certificate-request.ts';
import { issuePair } from './issue.ts';
import type { Pair } from './pair.ts';
import type { PendingKey } from './pending-key.ts';
import { type RetryDeps, retry } from './retry.ts';
import { readToken } from './token.ts';

/** The part of the Kubernetes client that identity needs. */
export type IdentityClient = Pick<KubeClient, 'get' | 'create' | 'close'>;

export interface JoinOptions {
  readonly nodeName: string;
  readonly urls: readonly string[];
  readonly caHash: string;
  readonly tokenFile: string | undefined;
  /** The name is this node's own from an earlier certificate: a Node of that name is no stranger. */
  readonly rejoin: boolean;
}

export interface JoinDeps extends RetryDeps {
  readonly clock: Clock;
  /** How a server is reached of which nothing is known yet. Default: directly. */
  readonly openTcp?: OpenTcp | undefined;
  readonly log: Logger;
  readonly pendingKey: PendingKey;
  readonly connect: (credentials: CredentialSource) => IdentityClient;
}

export interface Joined {
  /** PEM. */
  readonly clusterCa: string;
  readonly pair: Pair;
}

/** A new token is signed within seconds. */
const unsignedTimeoutMs = 30_000;

async function withClient<T>(client: IdentityClient, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await client.close();
  }
}

/** What the API server says to a token that is dead or may not ask, in words that help. */
function explainRefusal(cause: unknown): unknown {
  if (hasCode(cause, 'Unauthenticated')) {
    const hint = `it expired or was revoked; ${newTokenHint}`;
    return new SelvedgeError('the bootstrap token is not accepted', { code: 'Unauthenticated', cause, hint });
  }
  if (hasCode(cause, 'Forbidden') && cause.details['status'] === 403) {
    const hint = 'bind ClusterRole system:node-bootstrapper to the group of the bootstrap tokens';
    const message = 'the bootstrap token may not ask for a certificate';
    return new SelvedgeError(message, { code: 'Forbidden', cause, hint });
  }
  return cause;
}

/** As kubeadm does: a Node of this name that is at work right now is another machine. */
async function refuseTakenName(nodeName: string, client: IdentityClient, signal: AbortSignal): Promise<void> {
  const node = await ifFound(client.get(resources.nodes, { name: nodeName }, { signal }));
  const ready = node?.status?.conditions?.find((condition) => condition.type === 'Ready');
  if (ready?.status !== 'True') return;
  throw new SelvedgeError(`a Node named ${nodeName} is at work in the cluster already`, {
    code: 'AlreadyExists',
    hint: `choose another nodeName; if this machine replaces it, first: kubectl delete node ${nodeName}`,
  });
}

/**
 * From a bootstrap token to a certificate of `system:node:<name>`: finds the CA, asks, waits, checks that the name is
 * free. Waits for the network for as long as it takes. Rejects with `Unauthenticated`, `Forbidden` or `AlreadyExists`
 * when only a person can help. Can be killed at any point and called again.
 */
export async function join(options: JoinOptions, deps: JoinDeps, signal: AbortSignal): Promise<Joined> {
  const token = await readToken(options.tokenFile);
  const { nodeName, urls, caHash } = options;
  const clusterCa = await discoverClusterCa({ urls, caHash, token, unsignedTimeoutMs, signal }, deps);
  deps.log.info('cluster CA verified', { caHash });
  const bearerToken = formatBootstrapToken(token);
  const asToken = deps.connect(staticCredentials({ certificateAuthority: clusterCa, bearerToken }));
  const pair = await withClient(asToken, async () => {
    const attempt = (): Promise<Pair> =>
      issuePair({ nodeName, purpose: clientPurpose }, { ...deps, client: asToken }, signal);
    return retry('certificate', attempt, { ...deps, signal }).catch((error: unknown) => {
      throw explainRefusal(error);
    });
  });
  if (!options.rejoin) {
    const asNode = deps.connect(
      staticCredentials({ certificateAuthority: clusterCa, clientCertificate: pair }),
    );
    await withClient(asNode, () => {
      return retry('name', () => refuseTakenName(nodeName, asNode, signal), { ...deps, signal });
    });
  }
  return { clusterCa, pair };
}
