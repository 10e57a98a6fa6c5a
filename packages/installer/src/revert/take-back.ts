import { type Clock, SelvedgeError } from '@selvedge/kit';
import {
  type ClusterClient,
  type ContainersBefore,
  type PodSight,
  type Restarts,
  compareContainers,
  isProxyPod,
  lacksOf,
  listPods,
  lookAtNode,
  readContainers,
  rememberPods,
  removeTraces,
  replacePods,
  untilNothingLacks,
} from '../cluster/index.ts';
import { forgetJournal } from '../journal/index.ts';
import { createExecutors, undoSteps } from '../steps/index.ts';
import type { Home } from './home.ts';
import { type StepsWatch, isKubelet, watchSteps } from './watch.ts';

export interface TakeBackDeps {
  /** undefined: the cloud is out of reach; then the machine alone is put back. */
  readonly cluster: ClusterClient | undefined;
  readonly clock: Clock;
  readonly onNote: (text: string) => void;
}

export interface TakenBack {
  readonly unitsMs: number;
  readonly seenMs: number;
  /** undefined without the cloud: nobody knows the pods then. */
  readonly containers?: Restarts;
}

const isProxy = (pod: PodSight): boolean => isProxyPod({ kind: 'daemonset' }, pod);

/** Whether the kubelet was, or may have been, started again on the way forth. */
function wasRestarted({ journal }: Home): boolean {
  const { state } = journal;
  if (state.kind === 'none') return false;
  return state.steps.some(({ step, progress }) => isKubelet(step) && progress.kind !== 'todo');
}

const noSources = (name: string): Promise<never> =>
  Promise.reject(new SelvedgeError(`nothing is sent on the way back: ${name}`, { code: 'Internal' }));

async function undo(home: Home, deps: TakeBackDeps, signal: AbortSignal): Promise<StepsWatch> {
  const { host, files, journal } = home;
  const watch = watchSteps(deps.clock, deps.onNote);
  const run = journal.state.kind === 'none' ? '' : journal.state.run;
  const executors = createExecutors({ host, files, run, clock: deps.clock, sources: noSources });
  await undoSteps({ journal, executors, onEvent: watch.onEvent }, signal);
  return watch;
}

interface Seeing {
  readonly home: Home;
  readonly node: string;
  /** When its kubelet was started again, here. */
  readonly restartedAt: number | undefined;
  /** Pods that had to go. */
  readonly replaced: readonly PodSight[];
  readonly timeoutMs: number;
}

/** Waits until the API server sees the node as one that was never converted. */
async function untilPlain(
  { home, node, restartedAt, replaced, timeoutMs }: Seeing,
  { cluster, clock, onNote }: TakeBackDeps & { readonly cluster: ClusterClient },
  signal: AbortSignal,
): Promise<void> {
  const sinceMs = Math.floor(((restartedAt ?? clock.now()) + home.clockAheadMs) / 1_000) * 1_000 - 1_000;
  const expected = {
    as: 'plain',
    leaseAfterMs: sinceMs,
    ...(restartedAt === undefined ? {} : { heartbeatAfterMs: sinceMs }),
  } as const;
  const patience = { what: `${node} at the API server`, timeoutMs, onMissing: onNote, signal };
  await untilNothingLacks(patience, clock, async () => {
    const sight = await lookAtNode(cluster, node, signal);
    if (sight.isEdge || sight.hub !== undefined) await removeTraces(cluster, node, signal);
    const lacks = lacksOf(sight, expected);
    if (lacks.length > 0 || replaced.length === 0) return lacks;
    const proxies = (await listPods(cluster, node, signal)).filter(isProxy);
    const isNew = proxies.some(({ uid, isReady }) => isReady && !replaced.some((one) => one.uid === uid));
    return isNew ? [] : ['kube-proxy is not Ready again'];
  });
}

async function beforeOf(
  home: Home,
  pods: readonly PodSight[],
  { clock }: TakeBackDeps,
): Promise<ContainersBefore> {
  const nowMs = clock.now() + home.clockAheadMs;
  return { containers: await readContainers(home.host), ...rememberPods(pods, { nowMs, isMeant: isProxy }) };
}

/**
 * Takes a machine back by its journal, and with the cloud in reach sees that it is what it was. Does what is left of it if it is
 * called again. At the end nothing is known of the machine any more.
 */
export async function takeBack(
  { home, node, timeoutMs }: { readonly home: Home; readonly node: string; readonly timeoutMs: number },
  deps: TakeBackDeps,
  signal: AbortSignal,
): Promise<TakenBack> {
  const { cluster, clock } = deps;
  const pods = cluster === undefined ? [] : await listPods(cluster, node, signal);
  const before = await beforeOf(home, pods, deps);
  const restarted = wasRestarted(home);
  const watch = home.journal.state.kind === 'none' ? undefined : await undo(home, deps, signal);
  const undoneMs = clock.monotonicMs();
  if (cluster === undefined) {
    await forgetJournal(home.host, home.place, signal);
    return { unitsMs: watch?.unitsMs ?? 0, seenMs: 0 };
  }
  const replaced = restarted ? (await listPods(cluster, node, signal)).filter(isProxy) : [];
  await replacePods(cluster, replaced, signal);
  const seeing = { home, node, restartedAt: watch?.restartedAt, replaced, timeoutMs };
  await untilPlain(seeing, { ...deps, cluster }, signal);
  const after = {
    containers: await readContainers(home.host, signal),
    pods: await listPods(cluster, node, signal),
  };
  await forgetJournal(home.host, home.place, signal);
  return {
    unitsMs: watch?.unitsMs ?? 0,
    seenMs: clock.monotonicMs() - undoneMs,
    containers: compareContainers(before, after),
  };
}
