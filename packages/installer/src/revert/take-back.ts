import { type Clock, hasCode } from '@selvedge/kit';
import {
  type ClusterClient,
  type PodSight,
  type Restarts,
  compareContainers,
  isAnyProxyPod,
  isProxyPod,
  lacksOf,
  listPods,
  lookAtNode,
  readContainers,
  rememberPods,
  removeTraces,
  replacePods,
  timeoutHint,
} from '../cluster/index.ts';
import { type MachineSession, startOf, undoRun, watchSteps } from '../session/index.ts';
import { isSo, nothingLacks, pending, poll } from '../waiting/index.ts';
import { restartedKubelet } from './restarted-kubelet.ts';

export interface TakeBackDeps {
  /** undefined: the cloud is out of reach; then the machine alone is put back. */
  readonly cluster: ClusterClient | undefined;
  readonly clock: Clock;
  readonly onNote: (text: string) => void;
  /** Told what stays as somebody else made it since. Default: `onNote`. */
  readonly onKept?: ((text: string) => void) | undefined;
}

export interface TakenBack {
  readonly unitsMs: number;
  readonly seenMs: number;
  /** undefined without the cloud: nobody knows the pods then. */
  readonly containers?: Restarts;
}

const isProxy = (pod: PodSight): boolean => isProxyPod({ kind: 'daemonset' }, pod);

export interface Seeing {
  readonly node: string;
  /** When its kubelet was started, if it was. */
  readonly startedMs?: number | undefined;
  /** kube-proxy may have read that its API server is the hub. */
  readonly renewsProxy: boolean;
  readonly timeoutMs: number;
}

/** Pods of kube-proxy have read that their API server is the hub: others take their place, once. */
function createProxies(node: string, cluster: ClusterClient, signal: AbortSignal): () => Promise<boolean> {
  let replaced: readonly string[] | undefined;
  return async () => {
    const proxies = (await listPods(cluster, node, signal)).filter(isProxy);
    if (replaced === undefined) {
      await replacePods(cluster, proxies, signal);
      replaced = proxies.map(({ uid }) => uid);
    }
    const old = replaced;
    return old.length === 0 || proxies.some(({ uid, isReady }) => isReady && !old.includes(uid));
  };
}

/** Waits until the API server sees the node as one that was never converted. */
export async function untilPlain(
  { node, startedMs, renewsProxy, timeoutMs }: Seeing,
  { cluster, clock, onNote }: TakeBackDeps & { readonly cluster: ClusterClient },
  signal: AbortSignal,
): Promise<void> {
  const areProxiesNew = createProxies(node, cluster, signal);
  const what = `${node} at the API server`;
  const polling = { what, timeoutMs, hint: timeoutHint, onPending: onNote };
  await poll(polling, { clock, signal }, async () => {
    const sight = await lookAtNode(cluster, node, signal);
    if (sight.isEdge || sight.isMarked || sight.hub !== undefined) {
      await removeTraces(cluster, node, signal);
      return pending('the cloud still has it as an edge node');
    }
    const lacks = lacksOf(sight, { as: 'plain', startedMs });
    if (lacks.length > 0 || !renewsProxy) return nothingLacks(lacks);
    return isSo(await areProxiesNew(), 'kube-proxy is not Ready yet');
  });
}

/** The pods of the node; undefined while nobody tells. */
async function podsIfTold(
  node: string,
  cluster: ClusterClient | undefined,
  signal: AbortSignal,
): Promise<readonly PodSight[] | undefined> {
  try {
    return cluster === undefined ? undefined : await listPods(cluster, node, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (hasCode(error, 'Unavailable', 'DeadlineExceeded')) return undefined;
    throw error;
  }
}

/**
 * Takes a machine back by its journal, and with the cloud in reach sees that it is what it was. Does what is left of it if it is
 * called again. When the machine is left nothing is known of it any more. Throws as `undoRun`.
 */
export async function takeBack(
  {
    session,
    node,
    timeoutMs,
  }: { readonly session: MachineSession; readonly node: string; readonly timeoutMs: number },
  deps: TakeBackDeps,
  signal: AbortSignal,
): Promise<TakenBack> {
  const { cluster, clock } = deps;
  const { host, journal } = session;
  const pods = await podsIfTold(node, cluster, signal);
  const known = rememberPods(pods ?? [], { nowMs: clock.now(), isMeant: isAnyProxyPod });
  const before = { containers: await readContainers(host, signal), ...known };
  const kubelet = restartedKubelet(journal.state);
  const { onNote, onKept = onNote } = deps;
  const watch = watchSteps(clock, onNote);
  await undoRun(session, { clock, onKept, onEvent: watch.onEvent }, signal);
  const { unitsMs } = watch;
  const undoneMs = clock.monotonicMs();
  if (cluster === undefined) {
    session.forget();
    return { unitsMs, seenMs: 0 };
  }
  const startedMs = kubelet === undefined ? undefined : await startOf(host, kubelet, signal);
  const seeing = { node, startedMs, renewsProxy: kubelet !== undefined, timeoutMs };
  await untilPlain(seeing, { ...deps, cluster }, signal);
  const containers = await readContainers(host, signal);
  const after = await podsIfTold(node, cluster, signal);
  session.forget();
  const seenMs = clock.monotonicMs() - undoneMs;
  if (pods === undefined || after === undefined) return { unitsMs, seenMs };
  return { unitsMs, seenMs, containers: compareContainers(before, { containers, pods: after }) };
}
