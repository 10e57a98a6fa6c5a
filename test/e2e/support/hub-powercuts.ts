import { type Clock, systemClock } from '@selvedge/kit';
import { seededRandom } from '@selvedge/kit/testing';
import type { Pod } from '@selvedge/kube/types';
import { type HubSite, programs } from './hub-site.ts';
import { siteAnswers, webPods } from './hub-web.ts';
import { containerStatus, isReady } from './pods.ts';

/** One power cut of some of a site's nodes, at a random moment of a cut of the WAN. */
interface PowerCut {
  readonly victims: readonly string[];
  readonly afterMs: number;
}

export interface PowerCutsOptions {
  /** The same seed gives the same victims and moments. */
  readonly seed: number;
  readonly count: number;
}

/** The first takes both nodes, later ones those that chance picks. */
function planPowerCuts({ nodes }: HubSite, { seed, count }: PowerCutsOptions): readonly PowerCut[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, index) => {
    const afterMs = random() * 5_000;
    const pick = Math.floor(random() * 3);
    const victims = index === 0 || pick === 2 ? nodes : nodes.slice(pick, pick + 1);
    return { victims, afterMs };
  });
}

/** What must be the same pod after a power cut. */
interface Kept {
  readonly name: string | undefined;
  readonly uid: string | undefined;
  readonly restarts: number | undefined;
}

export const keptOf = (one: Pod): Kept => ({
  name: one.metadata.name,
  uid: one.metadata.uid,
  restarts: containerStatus(one)?.restartCount,
});

const restarted = (kept: Kept, one: Pod, { victims }: PowerCut): Kept => ({
  ...kept,
  restarts: (kept.restarts ?? 0) + (victims.includes(one.spec?.nodeName ?? '') ? 1 : 0),
});

export interface AfterPowerCut {
  readonly pods: readonly Kept[];
  readonly wanted: readonly Kept[];
  /** Programs of the nodes that have ended since the power came back. */
  readonly crashed: readonly string[];
}

async function allPrograms({ site, nodes }: HubSite): Promise<readonly string[]> {
  return (await Promise.all(nodes.map((node) => programs(site, node)))).flat();
}

async function oneCut(hub: HubSite, cut: PowerCut, clock: Pick<Clock, 'sleep'>): Promise<AfterPowerCut> {
  const { site, name } = hub;
  const { victims } = cut;
  const before = await webPods(site);
  const wanted = before.map((one) => restarted(keptOf(one), one, cut));
  await site.bed.cut(name, 'blackhole');
  // Not a wait for something: the moment of the power cut is what the test varies.
  await clock.sleep(cut.afterMs, site.signal);
  await Promise.all(victims.map((node) => site.bed.powerCut(node)));
  for (const node of victims) await site.bed.powerOn(node, { wait: false });
  const started = await allPrograms(hub);
  await siteAnswers(hub, 120_000);
  await site.bed.heal(name);
  const what = 'the statuses have caught up';
  const pods = await site.until({ what }, async () => {
    const now = await webPods(site);
    const counts = now.map((one) => containerStatus(one)?.restartCount);
    if (now.every(isReady) && counts.join() === wanted.map(({ restarts }) => restarts).join()) return now;
    throw new Error(`they are ${JSON.stringify(now.map(({ status }) => status))}`);
  });
  const still = new Set(await allPrograms(hub));
  return { pods: pods.map(keptOf), wanted, crashed: started.filter((program) => !still.has(program)) };
}

/** Cuts the power of nodes of a site that is cut off. Each time the whole site answers again before the heal. */
export async function runPowerCuts(
  hub: HubSite,
  options: PowerCutsOptions,
  clock: Pick<Clock, 'sleep'> = systemClock,
): Promise<readonly AfterPowerCut[]> {
  const all: AfterPowerCut[] = [];
  for (const cut of planPowerCuts(hub, options)) all.push(await oneCut(hub, cut, clock));
  return all;
}
