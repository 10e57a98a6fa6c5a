import { waitFor } from '@selvedge/bed';
import { systemClock } from '@selvedge/kit';
import { type KubeClient, mergePatch, resources } from '@selvedge/kube';
import { type EdgeNodeObject, edgeNodeResource, edgeUnitResource } from '@selvedge/unit-controller';
import type { ManagerUse } from './manager.ts';
import { type Written, converged, inState, watchWrites } from './observe.ts';
import type { ScaleWorld } from './world.ts';

const { signal } = new AbortController();
const patientMs = 15 * 60_000;

export interface Restart {
  /** From the start of the process, after its predecessor was killed, in milliseconds. */
  readonly convergedMs: number;
  /** At that time. */
  readonly use: ManagerUse;
  readonly written: Written;
}

/** The leader dies, another starts, and what was changed meanwhile is put right. */
export async function restart(world: ScaleWorld): Promise<Restart> {
  await world.manager.stop('SIGKILL');
  const [node = ''] = world.nodes.names;
  const damage = mergePatch({ metadata: { labels: { 'example.org/ring': null } } });
  await world.client.patch(resources.nodes, { name: node }, { patch: damage, signal });
  const written = await watchWrites(world);
  const since = Date.now();
  await world.manager.start();
  const convergedMs = await converged(world, since, patientMs);
  await waitFor({ what: 'a label that is back', timeoutMs: patientMs }, systemClock, async () => {
    const { metadata } = await world.client.get(resources.nodes, { name: node }, { signal });
    return metadata.labels?.['example.org/ring'] !== undefined;
  });
  const use = await world.manager.use();
  return { convergedMs, use, written: await written() };
}

export interface Idle {
  readonly seconds: number;
  /** Of one processor, in percent. */
  readonly cpuPercent: number;
  readonly use: ManagerUse;
  readonly written: Written;
  /** Of the simulation: how late a renewal was at most. */
  readonly lagMs: number;
}

/** Nothing changes; nodes renew and report as ever. */
export async function idle(world: ScaleWorld, seconds: number): Promise<Idle> {
  world.nodes.takeFaults();
  const written = await watchWrites(world);
  const [began, before] = [systemClock.monotonicMs(), await world.manager.use()];
  await systemClock.sleep(seconds * 1_000, signal);
  const after = await world.manager.use();
  const elapsed = (systemClock.monotonicMs() - began) / 1_000;
  const cpuPercent = (after.cpuTicks - before.cpuTicks) / elapsed;
  const { lagMs } = world.nodes.takeFaults();
  return { seconds: elapsed, cpuPercent, use: after, written: await written(), lagMs };
}

/** One unit gives its members another value of one label. */
export async function relabel(world: ScaleWorld, unit: string, ring: string): Promise<Written> {
  const written = await watchWrites(world);
  const patch = mergePatch({ spec: { labels: { 'example.org/ring': ring } } });
  const { metadata } = await world.client.patch(edgeUnitResource, { name: unit }, { patch, signal });
  await waitFor({ what: `unit ${unit} in ring ${ring}`, timeoutMs: patientMs }, systemClock, async () => {
    const { status } = await world.client.get(edgeUnitResource, { name: unit }, { signal });
    const settled = status?.conditions?.find(({ type }) => type === 'Settled')?.status;
    return status?.observedGeneration === metadata.generation && settled === 'True';
  });
  return written();
}

/** Another list of members for a unit; resolves with the milliseconds until its status, by which hubs go, says so. */
export async function enlist(world: ScaleWorld, unit: string, names: readonly string[]): Promise<number> {
  const patch = mergePatch({ spec: { members: { names } } });
  await world.client.patch(edgeUnitResource, { name: unit }, { patch, signal });
  const since = performance.now();
  const wait = { what: `members of ${unit}`, timeoutMs: patientMs, everyMs: 20 };
  await waitFor(wait, systemClock, async () => {
    const { status } = await world.client.get(edgeUnitResource, { name: unit }, { signal });
    const members = new Set(status?.members?.map(({ name }) => name));
    return members.size === names.length && names.every((name) => members.has(name));
  });
  return performance.now() - since;
}

export interface Cut {
  /** From the cut to the last node that is known to be cut, in milliseconds. */
  readonly knownMs: number;
  /** To the last EdgeNode, taint and condition that says so. */
  readonly markedMs: number;
  readonly written: Written;
  /** Of those, renewals of Leases. */
  readonly renewals: number;
  /** Of nodes into a state: at least one of each that was cut. */
  readonly moves: number;
  /** Nodes that were not Ready at some time, and pods that are gone or going; of those that were cut. */
  readonly unready: number;
  readonly evicted: number;
}

export interface CutOptions {
  /** A node without autonomy that loses its link with them: what happens to it would happen to all. */
  readonly control: string;
  /** For so long after its pod is evicted the others stay cut. */
  readonly holdSeconds: number;
}

const movesOf = async (world: ScaleWorld): Promise<number> =>
  (await world.manager.metrics()).sum('selvedge_autonomy_moves_total');

async function allNodes<T>(client: KubeClient, pick: (nodes: readonly EdgeNodeObject[]) => T): Promise<T> {
  return pick((await client.listAll(edgeNodeResource, { signal })).items);
}

/** When each node became what it is, Ready or not. */
async function readiness(world: ScaleWorld): Promise<ReadonlyMap<string, string>> {
  const { items } = await world.client.listAll(resources.nodes, { signal });
  return new Map(
    items.map(({ metadata, status }) => {
      const ready = status?.conditions?.find(({ type }) => type === 'Ready');
      return [metadata.name ?? '', `${ready?.status} since ${ready?.lastTransitionTime}`] as const;
    }),
  );
}

/** Which nodes have a pod that nobody deletes. */
async function nodesWithPods(world: ScaleWorld): Promise<ReadonlySet<string>> {
  const { items } = await world.client.listAll(resources.pods, { namespace: 'default', signal });
  const staying = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return new Set(staying.map(({ spec }) => spec?.nodeName ?? ''));
}

async function untilMarked(world: ScaleWorld, gone: ReadonlySet<string>): Promise<void> {
  const wait = { what: 'nodes that are marked', timeoutMs: patientMs, everyMs: 1_000 };
  await waitFor(wait, systemClock, () =>
    allNodes(world.client, (nodes) => {
      const marked = nodes.filter(({ metadata, status }) => {
        return gone.has(metadata.name ?? '') && status?.state === 'Autonomous';
      });
      return marked.length === gone.size;
    }),
  );
}

/** These nodes lose their link at once, with a pod on each. */
export async function cut(
  world: ScaleWorld,
  names: readonly string[],
  { control, holdSeconds }: CutOptions,
): Promise<Cut> {
  const before = await readiness(world);
  const written = await watchWrites(world);
  const moved = await movesOf(world);
  const since = Date.now();
  world.nodes.cut([...names, control]);
  const wait = { timeoutMs: patientMs, everyMs: 250 };
  await waitFor({ what: 'nodes that are known to be cut', ...wait }, systemClock, async () => {
    return (await inState(world, 'Autonomous')) >= names.length;
  });
  const knownMs = Date.now() - since;
  await untilMarked(world, new Set(names));
  const marks = await written();
  await waitFor(
    { what: `the pod of ${control} is evicted`, ...wait, everyMs: 1_000 },
    systemClock,
    async () => {
      return !(await nodesWithPods(world)).has(control);
    },
  );
  await systemClock.sleep(holdSeconds * 1_000, signal);
  const all = await written();
  const renewals = all.byKind.get('patch leases') ?? 0;
  const moves = (await movesOf(world)) - moved;
  const [after, kept] = [await readiness(world), await nodesWithPods(world)];
  return {
    knownMs,
    markedMs: marks.lastMs,
    written: all,
    renewals,
    moves,
    unready: names.filter((name) => after.get(name) !== before.get(name)).length,
    evicted: names.filter((name) => !kept.has(name)).length,
  };
}

/** The link is back; resolves when the leader knows of it and has nothing left to do. */
export async function heal(world: ScaleWorld, names: readonly string[]): Promise<Written> {
  const written = await watchWrites(world);
  world.nodes.heal(names);
  const wait = { what: 'nodes that are back', timeoutMs: patientMs, everyMs: 250 };
  await waitFor(wait, systemClock, async () => {
    const page = await world.manager.metrics();
    const connected = page.sum('selvedge_autonomy_nodes{state="Connected"}');
    return connected === world.nodes.names.length && page.sum('selvedge_kube_queue_depth') === 0;
  });
  return written();
}
