import { type Clock, SelvedgeError } from '@selvedge/kit';
import {
  type ClusterClient,
  type ContainersBefore,
  type LogsSight,
  type PodSight,
  type Restarts,
  compareContainers,
  isProxyPod,
  lacksOf,
  listPods,
  lookAtLogs,
  lookAtNode,
  readContainers,
  replacePods,
  untilNothingLacks,
} from '../cluster/index.ts';
import type { KubeProxyLayout } from '../layouts/index.ts';
import type { Home } from '../revert/index.ts';

export interface Verification {
  readonly node: string;
  readonly home: Home;
  readonly kubeProxy: KubeProxyLayout;
  readonly before: ContainersBefore;
  /** When its kubelet was started again, here; undefined: in a run before this one. */
  readonly restartedAt: number | undefined;
  /** The API server must be able to read logs there. */
  readonly needsLogs: boolean;
  readonly timeoutMs: number;
}

export interface VerifyDeps {
  readonly cluster: ClusterClient;
  readonly clock: Clock;
  readonly onNote: (text: string) => void;
}

/** What is missing of kube-proxy, once it was told to start again. */
function proxyLacks({ kubeProxy, before }: Verification, pods: readonly PodSight[]): readonly string[] {
  if (kubeProxy.kind !== 'daemonset' || before.meant.length === 0) return [];
  const isNew = (pod: PodSight): boolean => isProxyPod(kubeProxy, pod) && !before.meant.includes(pod.uid);
  return pods.some((pod) => isNew(pod) && pod.isReady) ? [] : ['kube-proxy is not Ready again'];
}

function logsLacks(logs: LogsSight): readonly string[] {
  return logs.kind === 'unreadable' ? [`the API server cannot read ${logs.why}`] : [];
}

async function lacks(
  verification: Verification,
  { cluster, sinceMs }: VerifyDeps & { readonly sinceMs: number },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { node, restartedAt, needsLogs } = verification;
  const expected = {
    as: 'converted',
    leaseAfterMs: sinceMs,
    ...(restartedAt === undefined ? {} : { heartbeatAfterMs: sinceMs }),
  } as const;
  const seen = lacksOf(await lookAtNode(cluster, node, signal), expected);
  if (seen.length > 0) return seen;
  const pods = await listPods(cluster, node, signal);
  const more = proxyLacks(verification, pods);
  if (more.length > 0 || !needsLogs) return more;
  return logsLacks(await lookAtLogs(cluster, pods, signal));
}

/** kube-proxy reads where its API server is when it starts: once its kubelet shows the node's own, it is started again. */
async function replaceProxy(
  verification: Verification,
  { cluster }: VerifyDeps,
  signal: AbortSignal,
): Promise<void> {
  const { node, kubeProxy, before } = verification;
  if (kubeProxy.kind !== 'daemonset') return;
  const pods = await listPods(cluster, node, signal);
  const old = pods.filter((pod) => isProxyPod(kubeProxy, pod) && before.meant.includes(pod.uid));
  await replacePods(cluster, old, signal);
}

async function compared(
  { node, home, before }: Verification,
  { cluster }: VerifyDeps,
  signal: AbortSignal,
): Promise<Restarts> {
  const containers = await readContainers(home.host, signal);
  const restarts = compareContainers(before, { containers, pods: await listPods(cluster, node, signal) });
  if (restarts.restarted.length === 0) return restarts;
  throw new SelvedgeError(`containers were started again: ${restarts.restarted.join(', ')}`, {
    code: 'Conflict',
    hint: 'see in their logs, and in the journal of the kubelet, why they ended',
  });
}

/** A second for the parts of one that the API cuts off, one for that of the machine's clock. */
const slackMs = 2_000;

/**
 * Waits until the cloud sees all that makes an edge node, and compares the containers. Throws `DeadlineExceeded` with what was
 * missing, and `Conflict` if a container was started again.
 */
export async function verify(
  verification: Verification,
  deps: VerifyDeps,
  signal: AbortSignal,
): Promise<Restarts> {
  const { node, home, restartedAt, timeoutMs } = verification;
  const sinceMs = (restartedAt ?? deps.clock.now()) + home.clockAheadMs - slackMs;
  const patience = { what: node, timeoutMs, onMissing: deps.onNote, signal };
  let replaced = false;
  await untilNothingLacks(patience, deps.clock, async () => {
    const seen = lacksOf(await lookAtNode(deps.cluster, node, signal), { as: 'converted', leaseAfterMs: 0 });
    if (seen.length > 0) return seen;
    if (!replaced) await replaceProxy(verification, deps, signal);
    replaced = true;
    return await lacks(verification, { ...deps, sinceMs }, signal);
  });
  return await compared(verification, deps, signal);
}
