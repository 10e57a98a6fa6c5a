import type { Container } from './containers.ts';
import type { PodSight } from './pods.ts';

/** What ran on a node before it was touched. Plain JSON: it waits on the node's disk for whoever compares. */
export interface ContainersBefore {
  readonly containers: readonly Container[];
  /** Names of pods, `namespace/name`, by uid. */
  readonly names: Readonly<Record<string, string>>;
  /** Uids of pods of which something ended shortly before: it does so by itself. */
  readonly unsteady: readonly string[];
  /** Uids of pods that are to be started again on purpose. */
  readonly meant: readonly string[];
}

/** What became of them. */
export interface Restarts {
  /** Containers that were there before, and were to run on. */
  readonly before: number;
  /** Of them, those that run as they did. */
  readonly same: number;
  /** Started again, and nobody meant it: `kube-system/dns-7 (coredns)`. */
  readonly restarted: readonly string[];
  /** Not there any more for a reason of their own: `shop/till-2: deleted`. */
  readonly left: readonly string[];
}

/** A pod that ended something so recently is taken to do so by itself. */
const unsteadyMs = 10 * 60_000;

/** What is to be known later of the pods of now. Pure. */
export function rememberPods(
  pods: readonly PodSight[],
  { nowMs, isMeant }: { readonly nowMs: number; readonly isMeant: (pod: PodSight) => boolean },
): Omit<ContainersBefore, 'containers'> {
  const isUnsteady = ({ containers }: PodSight): boolean =>
    containers.some(({ endedMs = -Infinity }) => nowMs - endedMs < unsteadyMs);
  return {
    names: Object.fromEntries(pods.map(({ uid, namespace, name }) => [uid, `${namespace}/${name}`])),
    unsteady: pods.filter(isUnsteady).map(({ uid }) => uid),
    meant: pods.filter(isMeant).map(({ uid }) => uid),
  };
}

/** Why nothing but the pod itself is behind the end of a container of it; undefined: nothing is known of that. */
function reasonOf(id: string, pod: PodSight | undefined, before: ContainersBefore): string | undefined {
  if (pod === undefined || pod.isDeleted) return 'deleted';
  const container = pod.containers.find(({ ids }) => ids.includes(id));
  if (pod.isOver || container?.isDone === true) return 'ended';
  return before.unsteady.includes(pod.uid) ? 'restarts by itself' : undefined;
}

interface After {
  readonly containers: readonly Container[];
  readonly pods: readonly PodSight[];
}

/** Compares what runs with what ran. Pure. */
export function compareContainers(before: ContainersBefore, { containers, pods }: After): Restarts {
  const now = new Map(containers.map((one) => [one.id, one.started]));
  const kept = before.containers.filter(({ pod }) => !before.meant.includes(pod));
  const others = kept.filter(({ id, started }) => now.get(id) !== started);
  const [restarted, left] = [new Set<string>(), new Set<string>()];
  for (const { id, pod: uid } of others) {
    const pod = pods.find((one) => one.uid === uid);
    const name = before.names[uid] ?? `pod ${uid}`;
    const reason = reasonOf(id, pod, before);
    const container = pod?.containers.find(({ ids }) => ids.includes(id))?.name ?? 'its sandbox';
    if (reason === undefined) restarted.add(`${name} (${container})`);
    else left.add(`${name}: ${reason}`);
  }
  const same = kept.length - others.length;
  return { before: kept.length, same, restarted: [...restarted], left: [...left] };
}
