import { type Clock, SelvedgeError, hasCode, withDeadline } from '@selvedge/kit';
import {
  type BootstrapToken,
  type ClusterInfo,
  type OpenTcp,
  newTokenHint,
  readClusterInfo,
  verifyClusterInfo,
} from '@selvedge/kube';
import { type RetryDeps, retry } from './retry.ts';

export interface DiscoverOptions {
  readonly urls: readonly string[];
  /** `sha256:…` of the CA's public key. */
  readonly caHash: string;
  readonly token: BootstrapToken;
  /** How long a token may stay without its signature before it counts as dead, in milliseconds. */
  readonly unsignedTimeoutMs: number;
  readonly signal: AbortSignal;
}

export interface DiscoverDeps extends RetryDeps {
  readonly clock: Clock;
  /** Default: directly. */
  readonly openTcp?: OpenTcp | undefined;
}

const getTimeoutMs = 15_000;
const unsignedPauseMs = 1_000;

async function ask(options: DiscoverOptions, { clock, openTcp }: DiscoverDeps): Promise<ClusterInfo> {
  let failure: unknown;
  for (const server of options.urls) {
    try {
      const deadline = { what: `cluster-info of ${server}`, timeoutMs: getTimeoutMs, signal: options.signal };
      const { configMap } = await withDeadline(deadline, clock, (signal) =>
        readClusterInfo({ server, openTcp }, signal),
      );
      return verifyClusterInfo(configMap, options.token, options.caHash);
    } catch (error) {
      options.signal.throwIfAborted();
      if (!hasCode(error, 'Unavailable', 'DeadlineExceeded')) throw error;
      failure = error;
    }
  }
  throw failure;
}

/**
 * The cluster's CA as PEM. Waits for the network and, for a while, for the token's signature. Rejects with
 * `Unauthenticated` when the token or the CA is not the right one.
 */
export async function discoverClusterCa(options: DiscoverOptions, deps: DiscoverDeps): Promise<string> {
  const { clock } = deps;
  const since = clock.monotonicMs();
  for (;;) {
    const info = await retry('discovery', () => ask(options, deps), { ...deps, signal: options.signal });
    if (info.kind === 'trusted') return info.clusterCa;
    if (clock.monotonicMs() - since >= options.unsignedTimeoutMs) {
      throw new SelvedgeError(`the cluster does not know bootstrap token ${options.token.id}`, {
        code: 'Unauthenticated',
        hint: `it expired, was revoked or is of another cluster; ${newTokenHint}`,
      });
    }
    await clock.sleep(unsignedPauseMs, options.signal);
  }
}
