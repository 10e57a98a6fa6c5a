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
  /** Nodes that were not Ready at the end, and pods that are gone or going. */
  readonly unready: number;
  readonly evicted: number;
}

const movesOf = async (world: ScaleWorld): Promise<number> =>
  (await world.manager.metrics()).sum('selvedge_autonomy_moves_total');

async function allNodes<T>(client: KubeClient, pick: (nodes: readonly EdgeNodeObject[]) => T): Promise<T> {
  return pick((await client.listAll(edgeNodeResource, { signal })).items);
}

async function damageOf(world: ScaleWorld, pods: number): Promise<Pick<Cut, 'unready' | 'evicted'>> {
  const nodes = await world.client.listAll(resources.nodes, { signal });
  const ready = nodes.items.filter(({ status }) =>
    status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
  );
  const { items } = await world.client.listAll(resources.pods, { namespace: 'default', signal });
  const staying = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return { unready: nodes.items.length - ready.length, evicted: pods - staying.length };
}

/** These nodes lose their link at once, for so long after all of them are marked. `pods`: how many there are. */
export async function cut(
  world: ScaleWorld,
  names: readonly string[],
  { holdSeconds, pods }: { readonly holdSeconds: number; readonly pods: number },
): Promise<Cut> {
  const written = await watchWrites(world);
  const moved = await movesOf(world);
  const since = Date.now();
  world.nodes.cut(names);
  const wait = { timeoutMs: patientMs, everyMs: 250 };
  await waitFor({ what: 'nodes that are known to be cut', ...wait }, systemClock, async () => {
    return (await inState(world, 'Autonomous')) >= names.length;
  });
  const knownMs = Date.now() - since;
  const gone = new Set(names);
  await waitFor({ what: 'nodes that are marked', ...wait, everyMs: 1_000 }, systemClock, () =>
    allNodes(world.client, (nodes) => {
      const marked = nodes.filter(({ metadata, status }) => {
        return gone.has(metadata.name ?? '') && status?.state === 'Autonomous';
      });
      return marked.length === gone.size;
    }),
  );
  const marks = await written();
  await systemClock.sleep(holdSeconds * 1_000, signal);
  const all = await written();
  const renewals = all.byKind.get('patch leases') ?? 0;
  const moves = (await movesOf(world)) - moved;
  const damage = await damageOf(world, pods);
  return { knownMs, markedMs: marks.lastMs, written: all, renewals, moves, ...damage };
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
