import { hasCode } from '@selvedge/kit';
import type { HostPort } from '@selvedge/kit/net';
import { type KubeClient, resources } from '@selvedge/kube';
import { canReach } from '../facts/index.ts';
import type { Host } from '../host/index.ts';

/** Services as a machine saw them before it was touched. Plain JSON. */
export interface ServicesBefore {
  /** Of the API server, which every cluster has. */
  readonly kubernetes: HostPort;
  /** kube-proxy tells there that it wrote its rules, for all families of addresses. */
  readonly tellsSyncs: boolean;
}

/**
 * How Services are on a machine whose kube-proxy was started again. `awaited`: rules of the kube-proxy before may still be there,
 * nothing is known of its own. `silent`: its rules are written, and lead nowhere.
 */
export type ServicesSight = 'answering' | 'awaited' | 'silent';

const requestTimeoutMs = 10_000;
/** Of kube-proxy's metrics, by default. Source: kubernetes.io "kube-proxy Configuration (v1alpha1)", `metricsBindAddress`. */
const metricsPort = 10_249;

/** `$1`: a port of this machine. Prints what kube-proxy says there of its rules; fails where nothing asks, or nobody answers. */
const syncsScript = `
timeout 5 bash -c 'exec 3<> "/dev/tcp/127.0.0.1/$0" && printf "GET /metrics HTTP/1.0\\r\\n\\r\\n" >&3 && cat <&3' "$1" |
  grep -a '^kubeproxy_sync_proxy_rules_last_'`;

/**
 * Whether kube-proxy wrote its rules since it was started, for each family of addresses that it serves; undefined: nobody says.
 * Source: `pkg/proxy/metrics/metrics.go`.
 */
export async function hasSynced(
  host: Host,
  signal: AbortSignal,
  port = metricsPort,
): Promise<boolean | undefined> {
  const { stdout } = await host.run({ argv: ['sh', '-c', syncsScript, 'sh', `${port}`] }, signal);
  const lines = stdout.toString().split('\n');
  const families = (metric: string): readonly string[] =>
    lines.flatMap((line) => {
      const [, labels = '', value] =
        new RegExp(`^kubeproxy_sync_proxy_rules_${metric}(\\{.*\\})? (\\S+)$`).exec(line) ?? [];
      return Number(value) > 0 ? [labels] : [];
    });
  const queued = families('last_queued_timestamp_seconds');
  const synced = families('last_timestamp_seconds');
  return queued.length === 0 ? undefined : queued.every((family) => synced.includes(family));
}

async function addressOf(
  client: Pick<KubeClient, 'get'>,
  signal: AbortSignal,
): Promise<HostPort | undefined> {
  const at = { namespace: 'default', name: 'kubernetes' };
  try {
    const { spec } = await client.get(resources.services, at, { timeoutMs: requestTimeoutMs, signal });
    const [host, port] = [spec?.clusterIP, spec?.ports?.[0]?.port];
    return host === undefined || port === undefined ? undefined : { host, port };
  } catch (error) {
    if (hasCode(error, 'NotFound', 'Forbidden')) return undefined;
    throw error;
  }
}

/** Looks before kube-proxy is touched. Undefined: Services do not work there, or nobody can tell; so nothing is asked of them later. */
export async function lookAtServices(
  client: Pick<KubeClient, 'get'>,
  host: Host,
  signal: AbortSignal,
): Promise<ServicesBefore | undefined> {
  const kubernetes = await addressOf(client, signal);
  if (kubernetes === undefined || (await canReach(host, kubernetes, signal)) !== 'reached') return undefined;
  return { kubernetes, tellsSyncs: (await hasSynced(host, signal)) === true };
}

/** Looks once a new kube-proxy runs. That it is healthy is not asked: it takes rules for written that it has just deleted. */
export async function lookAgainAtServices(
  { kubernetes, tellsSyncs }: ServicesBefore,
  host: Host,
  signal: AbortSignal,
): Promise<ServicesSight> {
  if (tellsSyncs && (await hasSynced(host, signal)) !== true) return 'awaited';
  return (await canReach(host, kubernetes, signal)) === 'reached' ? 'answering' : 'silent';
}
