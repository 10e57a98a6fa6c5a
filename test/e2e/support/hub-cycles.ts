import { isDeepStrictEqual } from 'node:util';
import type { CutKind } from '@selvedge/bed';
import { type Clock, type Random, systemClock } from '@selvedge/kit';
import { seededRandom } from '@selvedge/kit/testing';
import { resources } from '@selvedge/kube';
import { type HubSite, askHub } from './hub-site.ts';
import { webPods } from './hub-web.ts';
import { pod, running } from './pods.ts';
import type { Site } from './site.ts';

export interface CyclesOptions {
  /** The same seed gives the same cuts. */
  readonly seed: number;
  readonly cycles: number;
  readonly maxCutMs: number;
}

interface Cut {
  readonly kind: CutKind;
  readonly lengthMs: number;
}

/** Both kinds by turns; no cut is shorter than it takes to change something in the cloud. */
function planCuts({ seed, cycles, maxCutMs }: CyclesOptions): readonly Cut[] {
  const random: Random = seededRandom(seed);
  return Array.from({ length: cycles }, (_, index) => ({
    kind: index % 2 === 0 ? 'refused' : 'blackhole',
    lengthMs: random() * maxCutMs,
  }));
}

const service = { name: 'far', labels: { 'kubernetes.io/service-name': 'far' } };

/** A Service that leads out of the site, without a selector. */
export async function createFarService({ bed, namespace }: Site): Promise<void> {
  const spec = { ports: [{ port: 80 }] };
  const far = { apiVersion: 'v1', kind: 'Service', metadata: { name: service.name }, spec };
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: service,
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.9.0.1'] }],
    ports: [{ port: 80, protocol: 'TCP' }],
  };
  const list = { apiVersion: 'v1', kind: 'List', items: [far, slice] };
  await bed.kubectl([`--namespace=${namespace}`, 'create', '--filename=-'], { input: JSON.stringify(list) });
}

/** Something of every kind that the node's programs follow is another one after each round. */
async function changeCloud({ site, converted }: HubSite, round: number): Promise<void> {
  const { bed, namespace } = site;
  const patch = (what: string, change: object): Promise<unknown> =>
    bed.kubectl([
      `--namespace=${namespace}`,
      'patch',
      what,
      '--type=merge',
      '--patch',
      JSON.stringify(change),
    ]);
  const stays = (await webPods(site)).find(({ spec }) => spec?.nodeName === converted)?.metadata.name ?? '';
  await patch('configmap/settings', { data: { round: String(round) } });
  await patch(`pod/${stays}`, { metadata: { labels: { round: String(round) } } });
  await patch('endpointslice/far', { endpoints: [{ addresses: [`10.9.0.${round + 1}`] }] });
  const create = pod({ name: `passing-${round}`, node: converted, containers: [running()] });
  await site.create(resources.pods, create);
  if (round > 1)
    await bed.kubectl([`--namespace=${namespace}`, 'delete', 'pod', `passing-${round - 1}`, '--wait=false']);
}

interface Listed {
  readonly metadata: Readonly<Record<string, unknown>> & { readonly name: string };
}

/** A list without what the hub may say in other words: versions, and the kind of each item. */
function contents(text: string): readonly object[] {
  const { items } = JSON.parse(text) as { readonly items: readonly (Listed & Record<string, unknown>)[] };
  return items
    .toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name))
    .map(({ apiVersion: _apiVersion, kind: _kind, metadata, ...rest }) => {
      const { resourceVersion: _version, managedFields: _fields, ...kept } = metadata;
      return { metadata: kept, ...rest };
    });
}

function pathsOf({ site, converted }: HubSite): readonly string[] {
  const place = `namespaces/${site.namespace}`;
  return [
    `/api/v1/${place}/pods?fieldSelector=spec.nodeName%3D${converted}`,
    `/api/v1/${place}/services?`,
    `/api/v1/${place}/configmaps?fieldSelector=metadata.name%3Dsettings`,
    `/apis/discovery.k8s.io/v1/${place}/endpointslices?`,
  ];
}

/** Throws while the hub of the converted node does not hold of the file's namespace what the API server says. */
async function isSame(hub: HubSite): Promise<true> {
  const { site, converted } = hub;
  const paths = pathsOf(hub);
  const ask = (path: string): Promise<string> => askHub(site, converted, `${path}&resourceVersion=0`);
  const get = async (path: string): Promise<string> =>
    (await site.bed.kubectl(['get', '--raw', path])).stdout;
  const read = (texts: readonly string[]): object =>
    Object.fromEntries(texts.map((text, index) => [paths[index], contents(text)]));
  const [held, cloud] = [await Promise.all(paths.map(ask)), await Promise.all(paths.map(get))];
  if (isDeepStrictEqual(read(held), read(cloud))) return true;
  throw new Error(`the hub holds ${held.join()}, the API server ${cloud.join()}`);
}

/** Resolves once the hub holds what the API server does. */
export async function untilSame(hub: HubSite): Promise<void> {
  await hub.site.until({ what: 'the hub holds what the API server does' }, () => isSame(hub));
}

/** Cuts the site off and heals it, over and over; the cloud changes during each cut. */
export async function runCycles(
  hub: HubSite,
  options: CyclesOptions,
  clock: Pick<Clock, 'sleep'> = systemClock,
): Promise<void> {
  const { site, name } = hub;
  for (const [index, { kind, lengthMs }] of planCuts(options).entries()) {
    await site.bed.cut(name, kind);
    await changeCloud(hub, index + 1);
    // Not a wait for something: the length of the cut is what the test varies.
    await clock.sleep(lengthMs, site.signal);
    await site.bed.heal(name);
    const passing = `passing-${index + 1}`;
    await site.pod(
      passing,
      { what: `it runs after cut ${index + 1} (${kind})` },
      ({ status }) => status?.phase === 'Running',
    );
  }
}
