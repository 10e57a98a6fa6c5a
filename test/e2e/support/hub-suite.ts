import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { resources } from '@selvedge/kube';
import { beforeAll, describe, expect, it } from 'vitest';
import { stateFolder } from './edge-lite.ts';
import { createFarService, runCycles, untilSame } from './hub-cycles.ts';
import { keptOf, runPowerCuts } from './hub-powercuts.ts';
import { type ShoppingOptions, shop, startShoppers } from './hub-shopping.ts';
import { type HubSite, type HubStatus, askHub, listsTaken, programs, useHubSite } from './hub-site.ts';
import { deployWeb, siteAnswers, webPods } from './hub-web.ts';
import { isReady, pod, running } from './pods.ts';

export interface HubSuite {
  /** The name of a site of the suite's own. */
  readonly site: string;
  readonly seed: number;
  readonly cycles: number;
  readonly maxCutMs: number;
  readonly powerCuts: number;
  readonly shopping: ShoppingOptions;
  /** How long each of the tests may take. */
  readonly timeoutMs: number;
}

/** The converted node's hub with nothing on its disk, alone: what it knows of the node it found out by itself. */
async function startFreshHub({ site, converted }: HubSite): Promise<void> {
  const { bed } = site;
  for (const program of ['kubelet', 'kube-proxy', 'coredns', 'edge-lite'])
    await bed.stopAgent(converted, 'SIGKILL', program);
  for (const file of ['state.db', 'state.db-wal', 'state.db-shm'])
    await rm(join(stateFolder(bed, converted), file), { force: true });
  await bed.startAgent(converted, { program: 'edge-lite' });
}

/** A pod that runs with its config map and its secret only. */
async function createFirst({ site, converted }: HubSite): Promise<void> {
  const metadata = { name: 'first' };
  await site.create(resources.configMaps, { metadata, data: { word: 'open' } });
  await site.create(resources.secrets, { metadata, stringData: { word: 'sesame' } });
  const check = '[ "$(cat /config/word /secret/word)" = opensesame ] || exit 1';
  const volumeMounts = [
    { name: 'config', mountPath: '/config' },
    { name: 'secret', mountPath: '/secret' },
  ];
  const volumes = [
    { name: 'config', configMap: metadata },
    { name: 'secret', secret: { secretName: 'first' } },
  ];
  const first = { name: 'first', node: converted, automountServiceAccountToken: false };
  await site.create(
    resources.pods,
    pod({ ...first, volumes, containers: [running(check, { volumeMounts })] }),
  );
}

/** Resolves once a fresh hub holds what it must know of its node, and what the pod refers to; nobody else asks for it. */
function knowsItsNode({ site, converted }: HubSite, name: string): Promise<true> {
  return site.until({ what: 'the hub knows its node' }, async () => {
    await askHub(site, converted, `/api/v1/nodes/${converted}?resourceVersion=0`);
    await askHub(site, converted, `/api/v1/namespaces/${site.namespace}/pods/${name}?resourceVersion=0`);
    const { coverages } = JSON.parse(await askHub(site, converted, '/selvedge/status')) as HubStatus;
    const known = coverages.flatMap(({ synced, resource, fieldSelector }) =>
      synced ? [resource, `${resource} ${fieldSelector}`] : [],
    );
    const own = ['v1/configmaps', 'v1/secrets'].map((resource) => `${resource} metadata.name=${name}`);
    return ['v1/nodes', 'v1/pods', 'v1/services', ...own].every((wanted) => known.includes(wanted)) && true;
  });
}

/** What must hold on a site with a converted and a lite node, whatever happens to its uplink and its power. */
export function describeHubSite({ site: name, seed, timeoutMs, ...plan }: HubSuite): void {
  describe(`a site with a converted and a lite node (seed ${seed})`, () => {
    const hub = useHubSite(name);
    const { site, converted } = hub;

    beforeAll(async () => {
      await deployWeb(hub);
      await createFarService(site);
      await startShoppers(hub);
      await siteAnswers(hub);
    });

    it(
      `goes through ${plan.cycles} cuts without a restart and without lists`,
      async () => {
        const look = async (): Promise<unknown> => ({
          pods: (await webPods(site)).map(keptOf),
          lists: await listsTaken(site, converted),
          programs: await programs(site, converted),
        });
        const before = await look();
        await runCycles(hub, { seed, ...plan });
        expect(await look()).toEqual(before);
        await untilSame(hub);
      },
      timeoutMs,
    );

    it(
      'loses no request inside the site during a cut and after it',
      async () => {
        const { cutMs, healedMs } = plan.shopping;
        for (const { ok, lost } of await shop(hub, plan.shopping)) {
          expect(lost).toEqual([]);
          expect(ok).toBeGreaterThan((cutMs + healedMs) / 1_000);
        }
      },
      timeoutMs,
    );

    it(
      `comes back from ${plan.powerCuts} power cuts while it is cut off`,
      async () => {
        for (const { pods, wanted, crashed } of await runPowerCuts(hub, { seed, count: plan.powerCuts })) {
          expect(pods).toEqual(wanted);
          expect(crashed).toEqual([]);
        }
        await untilSame(hub);
      },
      timeoutMs,
    );

    it(
      'starts pods by a kubelet whose first contact with the hub is without the cloud',
      async () => {
        const before = (await webPods(site)).map(keptOf);
        await startFreshHub(hub);
        await createFirst(hub);
        await knowsItsNode(hub, 'first');
        await site.bed.cut(name, 'refused');
        await site.bed.startAgent(converted, { wait: false });
        const started = await programs(site, converted);
        await site.until({ what: 'the container runs' }, async () => {
          const [container] = await site.bed.containers(converted, { pod: 'first' });
          return container?.state === 'running';
        });
        await site.bed.heal(name);
        await site.pod('first', { what: 'it is ready' }, isReady);
        await siteAnswers(hub);
        expect((await webPods(site)).map(keptOf)).toEqual(before);
        expect(await programs(site, converted)).toEqual(started);
        expect(started).toHaveLength(5);
      },
      timeoutMs,
    );
  });
}
