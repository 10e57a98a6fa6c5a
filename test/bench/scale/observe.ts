import { waitFor } from '@selvedge/bed';
import { systemClock } from '@selvedge/kit';
import type { CloudRequest } from '../hub/audit-log.ts';
import { isWrite } from './audit.ts';
import type { ScaleWorld } from './world.ts';

/** What cloud-manager asked and wrote in a time. */
export interface Written {
  /** Requests of any kind, the begin of a watch among them. */
  readonly asked: number;
  /** Of those, writes. */
  readonly total: number;
  /** By verb and kind, such as `patch nodes`. */
  readonly byKind: ReadonlyMap<string, number>;
  /** The most that came in one second. */
  readonly peakPerSecond: number;
  /** From the begin of the time to the last write, in milliseconds; 0 if there was none. */
  readonly lastMs: number;
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}

/** Pure. `since`: Unix time in milliseconds. */
function writtenIn(requests: readonly CloudRequest[], since: number): Written {
  const asked = requests.filter(({ atMs }) => atMs >= since);
  const seen = asked.filter(isWrite);
  const perSecond = countBy(seen, ({ atMs }) => String(Math.floor(atMs / 1_000)));
  return {
    asked: asked.length,
    total: seen.length,
    byKind: countBy(seen, ({ what }) => what),
    peakPerSecond: Math.max(0, ...perSecond.values()),
    lastMs: Math.max(since, ...seen.map(({ atMs }) => atMs)) - since,
  };
}

/** What a world has written from now on. */
export async function watchWrites(world: ScaleWorld): Promise<() => Promise<Written>> {
  const before = (await world.audit.requests()).length;
  const since = Date.now();
  return async () => writtenIn((await world.audit.requests()).slice(before), since);
}

const states = (state: string): string => `selvedge_autonomy_nodes{state="${state}"}`;
const handled = (queue: string): string => `selvedge_kube_queue_keys_total{queue="${queue}",outcome="done"}`;

/**
 * The leader has looked at every node, found every unit as it should be, and has nothing left to do. Resolves with the
 * milliseconds until that was so.
 */
export async function converged(world: ScaleWorld, since: number, timeoutMs: number): Promise<number> {
  const nodes = world.nodes.names.length;
  const wait = { what: `a leader that has nothing to do, with ${nodes} nodes`, timeoutMs, everyMs: 250 };
  await waitFor(wait, systemClock, async () => {
    const page = await world.manager.metrics();
    const facts = {
      looked: page.sum('selvedge_autonomy_nodes') >= nodes,
      joined: page.sum('selvedge_units_settled_members') >= nodes,
      handled: page.sum(handled('unit-nodes')) >= nodes && page.sum(handled('autonomy-nodes')) >= nodes,
      idle: page.sum('selvedge_kube_queue_depth') === 0,
    };
    return Object.values(facts).every(Boolean);
  });
  return Date.now() - since;
}

/** Nothing is written for so long: what is gathered for a while before it is written has been, too. */
export async function quiet(world: ScaleWorld, seconds: number, timeoutMs: number): Promise<void> {
  const wait = { what: `${seconds} s without a write`, timeoutMs, everyMs: 1 };
  await waitFor(wait, systemClock, async (signal) => {
    const written = await watchWrites(world);
    await systemClock.sleep(seconds * 1_000, signal);
    return (await written()).total === 0;
  });
}

/** How many nodes are in the state, as the leader says. */
export async function inState(world: ScaleWorld, state: string): Promise<number> {
  return (await world.manager.metrics()).sum(states(state));
}
