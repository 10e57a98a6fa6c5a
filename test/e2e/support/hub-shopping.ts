import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock } from '@selvedge/kit';
import { resources } from '@selvedge/kube';
import { nodeFolder } from './edge-lite.ts';
import { type HubSite, untilOffline } from './hub-site.ts';
import { webName } from './hub-web.ts';
import { isReady, pod, shell } from './pods.ts';
import type { Site } from './site.ts';

export interface ShoppingOptions {
  /** How long the site is cut off, and how long it is watched after the heal. */
  readonly cutMs: number;
  readonly healedMs: number;
}

/** Requests of one shopper. */
export interface Requests {
  readonly ok: number;
  readonly lost: number;
}

/** A blackhole is noticed within 10 s; this machine is shared. */
const noticeMs = 15_000;

const shopperOf = (node: string): string => `shopper-${node}`;

/** A container that asks the Service over and over, and says `ok` or `lost` of each request. */
const shopper = (site: Site): ReturnType<typeof shell> =>
  shell(`trap 'exit 0' TERM
while :; do
  if timeout 5 wget -q -O /dev/null http://${webName(site)}/hostname; then echo ok; else echo lost; fi
  sleep 0.2
done`);

/** What a pod has written, from the node's disk: no API server is asked. */
async function logOf({ bed, namespace }: Site, node: string, name: string): Promise<string> {
  const root = nodeFolder(bed, node);
  for (const folder of [join(root, 'pod-logs'), join(root, 'root/var/log/pods')]) {
    const all = await readdir(folder).catch(() => []);
    const mine = all.find((each) => each.startsWith(`${namespace}_${name}_`));
    if (mine === undefined) continue;
    const files = (await readdir(join(folder, mine, 'main'))).filter((file) => file.endsWith('.log'));
    const texts = await Promise.all(files.map((file) => readFile(join(folder, mine, 'main', file), 'utf8')));
    return texts.join('');
  }
  return '';
}

/** Requests of a shopper so far. */
async function requestsOf(site: Site, node: string): Promise<Requests> {
  const lines = (await logOf(site, node, shopperOf(node))).split('\n');
  const count = (word: string): number => lines.filter((line) => line.endsWith(` F ${word}`)).length;
  return { ok: count('ok'), lost: count('lost') };
}

/** One on each node. Resolves once they run. */
export async function startShoppers({ site, nodes }: HubSite): Promise<void> {
  for (const node of nodes)
    await site.create(resources.pods, pod({ name: shopperOf(node), node, containers: [shopper(site)] }));
  for (const node of nodes) await site.pod(shopperOf(node), { what: 'it runs' }, isReady);
}

/** What the shoppers asked for during a cut and after it. */
export async function shop(
  hub: HubSite,
  { cutMs, healedMs }: ShoppingOptions,
  clock: Pick<Clock, 'sleep'> = systemClock,
): Promise<readonly Requests[]> {
  const { site, name, nodes } = hub;
  const look = (): Promise<readonly Requests[]> => Promise.all(nodes.map((node) => requestsOf(site, node)));
  const before = await look();
  await site.bed.cut(name, 'blackhole');
  for (const node of nodes) await untilOffline(site, node, noticeMs);
  // Not waits for something: for so long the site is cut off, and watched after it.
  await clock.sleep(cutMs, site.signal);
  await site.bed.heal(name);
  await clock.sleep(healedMs, site.signal);
  const after = await look();
  return after.map(({ ok, lost }, index) => ({
    ok: ok - (before[index]?.ok ?? 0),
    lost: lost - (before[index]?.lost ?? 0),
  }));
}
