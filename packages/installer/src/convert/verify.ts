import { type Clock, SelvedgeError } from '@selvedge/kit';
import { formatHostPort } from '@selvedge/kit/net';
import {
  type ClusterClient,
  type LogsSight,
  type PodSight,
  type Restarts,
  compareContainers,
  isProxyPod,
  lacksOf,
  listPods,
  lookAgainAtServices,
  lookAtLogs,
  lookAtNode,
  readContainers,
  replacePods,
  timeoutHint,
} from '../cluster/index.ts';
import type { Layout } from '../layouts/index.ts';
import { type MachineSession, type Remembered, startOf } from '../session/index.ts';
import { pending, poll } from '../waiting/index.ts';
import { createHubClients } from './hub-clients.ts';
import { type Patience, createPatience } from './patience.ts';

export interface Verification {
  readonly node: string;
  readonly session: MachineSession;
  readonly layout: Pick<Layout, 'kubelet' | 'kubeProxy'>;
  readonly before: Remembered;
  /** Where its hub listens. */
  readonly hubPort: number;
  /** The API server must be able to read logs there. */
  readonly needsLogs: boolean;
  readonly timeoutMs: number;
}

export interface VerifyDeps {
  readonly cluster: ClusterClient;
  readonly clock: Clock;
  readonly onNote: (text: string) => void;
}

interface LookDeps extends VerifyDeps {
  readonly startedMs: number | undefined;
  readonly patience: Patience;
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

/**
 * What is missing of Services, once a new kube-proxy runs. Rules that lead nowhere do not mend themselves, and another start of
 * kube-proxy may: nobody waits for them to the end. Throws `Conflict`.
 */
async function servicesLack(
  { session: { host }, before: { services } }: Verification,
  { patience }: LookDeps,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (services === undefined) return [];
  const fault = {
    what: `Services stopped answering on its machine: cannot connect to ${formatHostPort(services.kubernetes)} (default/kubernetes)`,
    hint: 'see the log of its kube-proxy; selvedge check --transport reports one that loses Services when it restarts',
  };
  switch (await lookAgainAtServices(services, host, signal)) {
    case 'silent':
      return patience.meet(fault);
    case 'awaited':
      return ['kube-proxy has not written its rules yet'];
    case 'answering':
      patience.forget(fault.what);
      return [];
  }
}

async function lacks(
  verification: Verification,
  deps: LookDeps,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { node, needsLogs } = verification;
  const { cluster, startedMs } = deps;
  const missing = lacksOf(await lookAtNode(cluster, node, signal), { as: 'converted', startedMs });
  if (missing.length > 0) return missing;
  const pods = await listPods(cluster, node, signal);
  const ofProxy = proxyLacks(verification, pods);
  const more = ofProxy.length > 0 ? ofProxy : await servicesLack(verification, deps, signal);
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
  { node, session, before }: Verification,
  { cluster }: VerifyDeps,
  signal: AbortSignal,
): Promise<Restarts> {
  const containers = await readContainers(session.host, signal);
  // After them: of a pod that is deleted meanwhile both say so.
  return compareContainers(before, { containers, pods: await listPods(cluster, node, signal) });
}

function checked(restarts: Restarts): Restarts {
  const { restarted } = restarts;
  if (restarted.length === 0) return restarts;
  throw new SelvedgeError(`containers restarted: ${restarted.join(', ')}`, {
    code: 'Conflict',
    hint: 'their logs, and journalctl -u kubelet, say why they stopped',
  });
}

/**
 * Waits until the cloud sees all that makes an edge node, and its machine that the kubelet goes through the hub, and compares the
 * containers. Throws `DeadlineExceeded` with what was missing, and `Conflict` if a container was started again, Services that
 * answered before do not, or the kubelet goes another way.
 */
export async function verify(
  verification: Verification,
  deps: VerifyDeps,
  signal: AbortSignal,
): Promise<Restarts> {
  const { node, session, layout, timeoutMs } = verification;
  const { cluster, clock, onNote } = deps;
  const startedMs = await startOf(session.host, layout.kubelet.unit, signal);
  const patience = createPatience(clock);
  const clientsLack = createHubClients(verification, { host: session.host, patience, startedMs });
  let hasReplaced = false;
  const polling = { what: node, timeoutMs, hint: timeoutHint, onPending: onNote };
  const restarts = await poll(polling, { clock, signal }, async () => {
    const sight = await lookAtNode(cluster, node, signal);
    const ofCloud = lacksOf(sight, { as: 'converted' });
    const before = ofCloud.length > 0 ? ofCloud : await clientsLack(sight, signal);
    if (before.length > 0) return pending(before.join(', '));
    if (!hasReplaced) await replaceProxy(verification, deps, signal);
    hasReplaced = true;
    const missing = await lacks(verification, { ...deps, startedMs, patience }, signal);
    if (missing.length > 0) return pending(missing.join(', '));
    return { kind: 'done', value: await compared(verification, deps, signal) };
  });
  return checked(restarts);
}
