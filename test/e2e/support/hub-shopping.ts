import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock } from '@selvedge/kit';
import { resources } from '@selvedge/kube';
import { nodeFolder } from './edge-lite.ts';
import { type HubSite, untilOffline } from './hub-site.ts';
import { webApp } from './hub-web.ts';
import { isReady, pod, shell, webServer } from './pods.ts';
import type { Site } from './site.ts';

export interface ShoppingOptions {
  /** How long the site is cut off, and how long it is watched after the heal. */
  readonly cutMs: number;
  readonly healedMs: number;
}

/** Requests of one shopper. */
export interface Requests {
  readonly ok: number;
  /** A line for each, with its time. */
  readonly lost: readonly string[];
}

/** A blackhole is noticed within 10 s; this machine is shared. */
const noticeMs = 30_000;

const shopperOf = (node: string): string => `shopper-${node}`;

/** A Service with one pod, which is on this node. */
const shopOf = (node: string): string => `shop-${node}`;

async function openShop({ site }: HubSite, node: string): Promise<void> {
  const labels = { shop: node };
  await site.create(resources.pods, pod({ name: shopOf(node), node, labels, containers: [webServer()] }));
  const spec = { selector: labels, ports: [{ port: 80, targetPort: 8080 }] };
  await site.create(resources.services, { metadata: { name: shopOf(node) }, spec });
}

/** A container that asks Services by turns, over and over, and says `ok` or `lost` and which of each request. */
function shopper({ namespace }: Site, services: readonly string[]): ReturnType<typeof shell> {
  return shell(`trap 'exit 0' TERM
while :; do
  for one in ${services.join(' ')}; do
    url=http://$one.${namespace}.svc.cluster.local/hostname
    if timeout 5 wget -q -O /dev/null $url; then echo "ok $one"; else echo "lost $one"; fi
    sleep 0.1
  done
done`);
}

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

/** Requests of a shopper so far: when they were, and how they went. */
async function requestsOf(site: Site, node: string): Promise<Requests> {
  const lines = (await logOf(site, node, shopperOf(node))).split('\n');
  const lost = lines.filter((line) => line.includes(' F lost '));
  return { ok: lines.filter((line) => line.includes(' F ok ')).length, lost };
}

/** One on each node, who asks a Service with pods on both nodes and one on the other. Resolves once they run. */
export async function startShoppers(hub: HubSite): Promise<void> {
  const { site, nodes } = hub;
  for (const node of nodes) await openShop(hub, node);
  for (const node of nodes) await site.pod(shopOf(node), { what: 'it runs' }, isReady);
  for (const node of nodes) {
    const others = nodes.filter((other) => other !== node).map(shopOf);
    const containers = [shopper(site, [webApp, ...others])];
    await site.create(resources.pods, pod({ name: shopperOf(node), node, containers }));
  }
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
    lost: lost.slice(before[index]?.lost.length),
  }));
}
