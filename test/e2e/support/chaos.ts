import { type Clock, type Random, systemClock } from '@selvedge/kit';
import { seededRandom } from '@selvedge/kit/testing';
import { resources } from '@selvedge/kube';
import type { Pod } from '@selvedge/kube/types';
import { containerStatus, isReady, pod, running } from './pods.ts';
import type { Site } from './site.ts';
import { type PodTraces, podTraces } from './traces.ts';

export interface ChaosOptions {
  /** A lite node that nobody else uses. */
  readonly node: string;
  /** The same seed gives the same pods, deletions and moments. */
  readonly seed: number;
  /** How many pods are created or deleted. edge-lite is killed after each of them. */
  readonly rounds: number;
  /** Created before the first kill. */
  readonly bystanders: readonly string[];
  /**
   * Restart the runtime before looking at what is left. containerd 2.4 can keep the task of a start that was cut off,
   * and refuses to remove its container until then; about one cut start in two hundred.
   */
  readonly restartsRuntime: boolean;
}

type Round = { readonly kind: 'create' | 'delete'; readonly name: string; readonly killAfterMs: number };

/** Longer than a pod takes to start or to end. */
const maxKillMs = 1_500;

/** What happens, in its order: two creations for each deletion, of a pod that was created at any time before. */
function planChaos({ seed, rounds }: Pick<ChaosOptions, 'seed' | 'rounds'>): readonly Round[] {
  const random: Random = seededRandom(seed);
  const alive: string[] = [];
  return Array.from({ length: rounds }, (_, index): Round => {
    const killAfterMs = random() * maxKillMs;
    const [victim] = random() < 1 / 3 ? alive.splice(Math.floor(random() * alive.length), 1) : [];
    if (victim !== undefined) return { kind: 'delete', name: victim, killAfterMs };
    const name = `chaos-${index}`;
    alive.push(name);
    return { kind: 'create', name, killAfterMs };
  });
}

/** With something of every kind that could be left behind: a mounted tmpfs, a plain folder, a token. */
function chaosPod(name: string, node: string): Pod {
  return pod({
    name,
    node,
    volumes: [
      { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
      { name: 'disk', emptyDir: {} },
    ],
    containers: [
      running('', {
        volumeMounts: [
          { name: 'memory', mountPath: '/memory' },
          { name: 'disk', mountPath: '/disk' },
        ],
      }),
    ],
  });
}

/** What is left when edge-lite has come to rest after all. */
export interface Aftermath {
  /** Those that are in the API, all ready. */
  readonly pods: readonly Pod[];
  /** What the node holds. */
  readonly traces: PodTraces;
  /** What it should hold: everything of those pods, and nothing else. */
  readonly wanted: PodTraces;
}

const uidsOf = (pods: readonly Pod[]): readonly string[] =>
  pods.map(({ metadata }) => metadata.uid ?? '').toSorted();

/**
 * Everything that a node has of these pods, and no more. A kill in the midst of a start makes the runtime give the
 * container up: it has exited without having run, and is kept.
 */
function tracesOf(pods: readonly Pod[], runtimeMountsOfOne: number): PodTraces {
  const uids = uidsOf(pods);
  return {
    sandboxes: uids,
    containers: uids.map((uid) => `${uid}/main running`),
    exited: uidsOf(pods.filter((one) => containerStatus(one)?.lastState?.terminated !== undefined)),
    folders: uids,
    logs: uids,
    cgroups: uids,
    mounts: uids,
    tasks: 2 * uids.length,
    addresses: uids.length,
    runtimeMounts: runtimeMountsOfOne * uids.length,
  };
}

/** Creates pods and waits until they are ready. */
function start(site: Site, names: readonly string[], node: string): Promise<readonly Pod[]> {
  const one = async (name: string): Promise<Pod> => {
    await site.create(resources.pods, chaosPod(name, node));
    return site.pod(name, { what: 'it is ready' }, isReady);
  };
  return Promise.all(names.map(one));
}

/** Asks for a deletion without waiting for it. */
async function forget(site: Site, name: string): Promise<void> {
  const { namespace, signal } = site;
  await site.client.delete(resources.pods, { namespace, name }, { signal });
}

/** The pods of the file's namespace as soon as they are those named, all ready. */
function onlyThese(site: Site, names: ReadonlySet<string>): Promise<readonly Pod[]> {
  const { namespace, signal } = site;
  const options = { what: `the pods ${[...names].join(', ')} and no others, all ready` };
  return site.until(options, async () => {
    const { items } = await site.client.listAll(resources.pods, { namespace, signal });
    const expected = items.every((one) => isReady(one) && names.has(one.metadata.name ?? ''));
    if (expected && items.length === names.size) return items;
    throw new Error(items.map((one) => `${one.metadata.name} is ready: ${isReady(one)}`).join(', '));
  });
}

/** Looks until the node is as it should be, and for the last time when a minute has passed. */
async function tidied(site: Site, node: string, wanted: PodTraces): Promise<PodTraces> {
  const look = (): Promise<PodTraces> => podTraces(site.bed, node);
  const same = (traces: PodTraces): boolean => JSON.stringify(traces) === JSON.stringify(wanted);
  return site
    .until({ what: 'a tidy node', everyMs: 250 }, async () => {
      const traces = await look();
      return same(traces) && traces;
    })
    .catch(look);
}

async function restartRuntime({ bed }: Site, node: string): Promise<void> {
  await bed.stopRuntime(node);
  await bed.startRuntime(node);
}

/**
 * Creates and deletes pods, and kills edge-lite with SIGKILL at a random moment after each. Resolves once the pods are as
 * they should be.
 */
export async function wreak(
  site: Site,
  options: ChaosOptions,
  clock: Pick<Clock, 'sleep'> = systemClock,
): Promise<Aftermath> {
  const { node, bystanders } = options;
  await start(site, bystanders, node);
  const perPod = (await podTraces(site.bed, node)).runtimeMounts / bystanders.length;
  const names = new Set(bystanders);
  for (const { kind, name, killAfterMs } of planChaos(options)) {
    if (kind === 'create') names.add(name);
    else names.delete(name);
    await (kind === 'create' ? site.create(resources.pods, chaosPod(name, node)) : forget(site, name));
    // Not a wait for something: the moment of the kill is what the test varies.
    await clock.sleep(killAfterMs, site.signal);
    await site.bed.stopAgent(node, 'SIGKILL');
    await site.bed.startAgent(node, { wait: false });
  }
  const pods = await onlyThese(site, names);
  if (options.restartsRuntime) await restartRuntime(site, node);
  const wanted = tracesOf(pods, perPod);
  return { pods, wanted, traces: await tidied(site, node, wanted) };
}

/** Deletes the rest; resolves with what the node holds when no pod is left, and the nothing that it should hold. */
export async function clear(
  site: Site,
  { node, restartsRuntime }: Pick<ChaosOptions, 'node' | 'restartsRuntime'>,
  pods: readonly Pod[],
): Promise<Pick<Aftermath, 'traces' | 'wanted'>> {
  await Promise.all(pods.map(({ metadata }) => site.deletePod(metadata.name ?? '')));
  if (restartsRuntime) await restartRuntime(site, node);
  const wanted = tracesOf([], 0);
  return { wanted, traces: await tidied(site, node, wanted) };
}
