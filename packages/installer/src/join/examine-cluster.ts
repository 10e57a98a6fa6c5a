import { SelvedgeError, hasCode, withDeadline } from '@selvedge/kit';
import {
  type BootstrapToken,
  formatBootstrapToken,
  newTokenHint,
  parseBootstrapToken,
  readClusterInfo,
  resources,
  staticCredentials,
  verifyClusterInfo,
} from '@selvedge/kube';
import { parse } from 'yaml';
import { type JoinConfig, kubeletConfig, tunnelCaConfig } from '../token/index.ts';
import type { JoinClient, JoinDeps, JoinOptions } from './types.ts';

/** What is known of a cluster before a machine joins it. */
export interface ClusterSight {
  /** What its clock is ahead of the one here, in milliseconds, to about a second. Undefined: it did not tell. */
  readonly aheadMs?: number;
  /** What it tells its kubelets. Undefined: nothing that a token may read. */
  readonly dns?: { readonly servers: readonly string[]; readonly domain?: string };
  /** PEM of who signs the certificate of the tunnel. Undefined: nobody says, so it is the cluster's CA. */
  readonly tunnelCa?: string;
}

const timeoutMs = 15_000;
/** The bootstrapsigner signs a new token within seconds. */
const unsignedTimeoutMs = 15_000;
const pauseMs = 1_000;

interface Trusted {
  readonly clusterCa: string;
  readonly aheadMs?: number;
}

export interface ExamineDeps extends Pick<JoinDeps, 'clock' | 'connect' | 'signal'> {
  /** Default: that of the server. */
  readonly readInfo?: typeof readClusterInfo;
}

async function trust(
  { server, caHash }: Pick<JoinOptions, 'server' | 'caHash'>,
  token: BootstrapToken,
  { clock, signal, readInfo = readClusterInfo }: ExamineDeps,
): Promise<Trusted> {
  const endMs = clock.monotonicMs() + unsignedTimeoutMs;
  for (;;) {
    const deadline = { what: `cluster-info of ${server}`, timeoutMs, signal };
    const { configMap, serverTimeMs } = await withDeadline(deadline, clock, (within) =>
      readInfo({ server }, within),
    );
    const info = verifyClusterInfo(configMap, token, caHash);
    if (info.kind === 'trusted') {
      const ahead = serverTimeMs === undefined ? {} : { aheadMs: serverTimeMs - clock.now() };
      return { clusterCa: info.clusterCa, ...ahead };
    }
    if (clock.monotonicMs() >= endMs) {
      throw new SelvedgeError(`${server} does not know the bootstrap token ${token.id}`, {
        code: 'Unauthenticated',
        hint: `it has expired, was deleted, or belongs to another cluster; ${newTokenHint}`,
      });
    }
    await clock.sleep(pauseMs, signal);
  }
}

const certificates = { group: 'certificates.k8s.io', resource: 'certificatesigningrequests', verb: 'create' };

/** Throws `Unauthenticated` or `Forbidden`, with what to do next. */
async function tryToken(token: BootstrapToken, client: JoinClient, signal: AbortSignal): Promise<void> {
  const review = { metadata: {}, spec: { resourceAttributes: certificates } };
  const answer = client.create(resources.selfSubjectAccessReviews, review, { signal });
  const { status } = await answer.catch((cause: unknown) => {
    if (!hasCode(cause, 'Unauthenticated')) throw cause;
    throw new SelvedgeError(`the API server rejects the bootstrap token ${token.id}`, {
      code: 'Unauthenticated',
      cause,
      hint: `it has just expired, or is not enabled for authentication; ${newTokenHint}`,
    });
  });
  if (status?.allowed === true) return;
  throw new SelvedgeError(`the bootstrap token ${token.id} is not allowed to request a certificate`, {
    code: 'Forbidden',
    hint: "create one with selvedge token create, which grants that, or bind ClusterRole system:node-bootstrapper to the token's groups",
  });
}

/** As kubeadm keeps it for kubelets. Source: kubelet.config.k8s.io/v1beta1 KubeletConfiguration. */
interface KubeletConfig {
  readonly clusterDNS?: unknown;
  readonly clusterDomain?: unknown;
}

/** Pure. Undefined for a text that says nothing of it. */
export function dnsIn(text: string): ClusterSight['dns'] {
  const { clusterDNS, clusterDomain } = (parse(text) ?? {}) as KubeletConfig;
  const servers = Array.isArray(clusterDNS) ? clusterDNS.filter((one) => typeof one === 'string') : [];
  if (servers.length === 0) return undefined;
  return typeof clusterDomain === 'string' ? { servers, domain: clusterDomain } : { servers };
}

/** Nobody has to have it, or to let tokens read it. */
async function read(
  { at, key }: JoinConfig,
  client: JoinClient,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return (await client.get(resources.configMaps, at, { signal })).data?.[key];
  } catch (error) {
    if (hasCode(error, 'NotFound', 'Forbidden')) return undefined;
    throw error;
  }
}

/**
 * Tries what a machine will join with, from here: whether the server is there and is the one with the pinned CA, whether the token
 * is known, accepted and may ask for a certificate. Throws `Unavailable`, `Unauthenticated` and `Forbidden`, each with the
 * next command.
 */
export async function examineCluster(options: JoinOptions, deps: ExamineDeps): Promise<ClusterSight> {
  const { connect, signal } = deps;
  const token = parseBootstrapToken(options.token);
  const { clusterCa, ...sight } = await trust(options, token, deps);
  const bearerToken = formatBootstrapToken(token);
  const client = connect(options.server, staticCredentials({ certificateAuthority: clusterCa, bearerToken }));
  try {
    await tryToken(token, client, signal);
    const dns = dnsIn((await read(kubeletConfig, client, signal)) ?? '');
    const tunnelCa = await read(tunnelCaConfig, client, signal);
    return {
      ...sight,
      ...(dns === undefined ? {} : { dns }),
      ...(tunnelCa === undefined ? {} : { tunnelCa }),
    };
  } finally {
    await client.close();
  }
}
