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
import type { Layout } from '../layouts/index.ts';
import { type Home, startOf } from '../revert/index.ts';

export interface Verification {
  readonly node: string;
  readonly home: Home;
  readonly layout: Pick<Layout, 'kubelet' | 'kubeProxy'>;
  readonly before: ContainersBefore;
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
export function proxyLacks(
  { layout: { kubeProxy }, before }: Pick<Verification, 'layout' | 'before'>,
  pods: readonly PodSight[],
): readonly string[] {
  if (before.meant.length === 0) return [];
  const isNew = (pod: PodSight): boolean => isProxyPod(kubeProxy, pod) && !before.meant.includes(pod.uid);
  return pods.some((pod) => isNew(pod) && pod.isReady) ? [] : ['kube-proxy is not Ready yet'];
}

function logsLacks(logs: LogsSight): readonly string[] {
  return logs.kind === 'unreadable' ? [`the API server cannot read ${logs.why}`] : [];
}

async function lacks(
  verification: Verification,
  { cluster, startedMs }: VerifyDeps & { readonly startedMs: number | undefined },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { node, needsLogs } = verification;
  const seen = lacksOf(await lookAtNode(cluster, node, signal), { as: 'converted', startedMs });
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
  const { node, layout, before } = verification;
  const { kubeProxy } = layout;
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
  // After them: of a pod that is deleted meanwhile both say so.
  return compareContainers(before, { containers, pods: await listPods(cluster, node, signal) });
}

function checked(restarts: Restarts | undefined): Restarts {
  const { restarted = [] } = restarts ?? {};
  if (restarts !== undefined && restarted.length === 0) return restarts;
  throw new SelvedgeError(`containers restarted: ${restarted.join(', ')}`, {
    code: 'Conflict',
    hint: 'their logs, and journalctl -u kubelet, say why they stopped',
  });
}

/**
 * Waits until the cloud sees all that makes an edge node, and compares the containers. Throws `DeadlineExceeded` with what was
 * missing, and `Conflict` if a container was started again.
 */
export async function verify(
  verification: Verification,
  deps: VerifyDeps,
  signal: AbortSignal,
): Promise<Restarts> {
  const { node, home, layout, timeoutMs } = verification;
  const startedMs = await startOf(home.host, layout.kubelet.unit, signal);
  const patience = { what: node, timeoutMs, onMissing: deps.onNote, signal };
  let replaced = false;
  const found: { restarts?: Restarts } = {};
  await untilNothingLacks(patience, deps.clock, async () => {
    const seen = lacksOf(await lookAtNode(deps.cluster, node, signal), { as: 'converted' });
    if (seen.length > 0) return seen;
    if (!replaced) await replaceProxy(verification, deps, signal);
    replaced = true;
    const missing = await lacks(verification, { ...deps, startedMs }, signal);
    if (missing.length === 0) found.restarts = await compared(verification, deps, signal);
    return missing;
  });
  return checked(found.restarts);
}
