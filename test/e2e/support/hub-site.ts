import { join } from 'node:path';
import type { Pod } from '@selvedge/kube/types';
import { afterAll, beforeAll } from 'vitest';
import { stateFolder } from './edge-lite.ts';
import { type Site, useSite } from './site.ts';

/** A site of a test file's own: a stock node converted to the hub and a lite node, each with kube-proxy and CoreDNS. */
export interface HubSite {
  readonly site: Site;
  /** The site's name. */
  readonly name: string;
  readonly converted: string;
  readonly lite: string;
  /** Both. */
  readonly nodes: readonly [string, string];
}

/** Registers the hooks that make and remove it. Call it once, outside of tests. */
export function useHubSite(name: string): HubSite {
  const site = useSite();
  const [converted, lite] = [`${name}-conv`, `${name}-lite`];
  const nodes = [converted, lite] as const;
  beforeAll(async () => {
    await site.bed.addSite({ name });
    await site.bed.addNode({ name: converted, site: name, agent: 'converted', dns: true });
    await site.bed.addNode({ name: lite, site: name, agent: 'lite', kubeProxy: true, dns: true });
  });
  afterAll(async () => {
    await site.bed.heal(name);
    for (const node of nodes) await site.bed.removeNode(node);
    await site.bed.removeSite(name);
  });
  return { site, name, converted, lite, nodes };
}

const hubPort = 10_270;
const listsFirst = /^selvedge_hub_reads_total\{verb="(?:list|stream)"/;
const takesWhole = /^selvedge_kube_lists_total/;

/** What `/selvedge/status` says, as far as tests look at it. */
export interface HubStatus {
  readonly connectivity: { readonly kind: string; readonly reason?: string };
  readonly coverages: readonly {
    readonly resource: string;
    readonly fieldSelector: string;
    readonly synced: boolean;
  }[];
}

/** What the hub of a node answers the node itself, from the replica where that may be. */
export async function askHub({ bed }: Pick<Site, 'bed'>, node: string, path: string): Promise<string> {
  const file = (name: string): string => join(stateFolder(bed, node), 'pki', name);
  const who = ['--cert', file('client.pem'), '--cacert', file('hub-ca.crt')];
  const how = ['--silent', '--show-error', '--fail-with-body', '--max-time', '10'];
  const { stdout } = await bed.exec(node, ['curl', ...how, ...who, `https://127.0.0.1:${hubPort}${path}`]);
  return stdout;
}

/** How often clients of a node's hub, and the hub upstream, took whole lists, streamed ones included. */
export async function listsTaken(site: Site, node: string): Promise<readonly string[]> {
  const lines = (await askHub(site, node, '/selvedge/metrics')).split('\n');
  return lines.filter((line) => listsFirst.test(line) || takesWhole.test(line)).toSorted();
}

/** The pods of the file's namespace as the hub of their node knows them. */
export async function podsAtHub(site: Site, node: string): Promise<readonly Pod[]> {
  const query = `fieldSelector=spec.nodeName%3D${node}&resourceVersion=0`;
  const { items } = JSON.parse(await askHub(site, node, `/api/v1/pods?${query}`)) as { items: Pod[] };
  return items.filter(({ metadata }) => metadata.namespace === site.namespace);
}

/** Resolves once a node's hub says that the cloud is out of reach. */
export async function untilOffline(site: Site, node: string, timeoutMs: number): Promise<void> {
  await site.until({ what: `the hub of ${node} is offline`, timeoutMs }, async () => {
    const { connectivity } = JSON.parse(await askHub(site, node, '/selvedge/status')) as HubStatus;
    return connectivity.kind === 'offline';
  });
}

/** The pids of the node's own programs; one that crashed is not there. */
export async function programs({ bed }: Site, node: string): Promise<readonly string[]> {
  const { processes } = await bed.status();
  return processes
    .filter(({ name, running: runs }) => runs && name.endsWith(`.${node}`))
    .map(({ name, pid }) => `${name} ${pid}`)
    .toSorted();
}
