import { labels } from '@selvedge/api';
import { waitFor } from '@selvedge/bed';
import { createTaskGroup, systemClock } from '@selvedge/kit';
import { seededRandom } from '@selvedge/kit/testing';
import { resources } from '@selvedge/kube';
import { edgeUnitResource } from '@selvedge/unit-controller';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AppsOptions, changeImage, createApps } from '../bench/scale/app-scenes.ts';
import type { Manager } from '../bench/scale/manager.ts';
import type { ScaleWorld } from '../bench/scale/world.ts';
import { openSmallWorld } from './scale-world.ts';

const patient = { timeout: 900_000 };
const app = 'shop';
const { signal } = new AbortController();
/** The units of a wave, by their label. */
const waves = [
  ['0', '1'],
  ['2', '3', '4'],
];
const rollout: AppsOptions['rollout'] = {
  waves: waves.map((parts, at) => ({
    name: `wave-${at}`,
    unitSelector: { matchExpressions: [{ key: 'example.org/part', operator: 'In', values: parts }] },
  })),
  maxUnavailableUnits: 2,
  bakeSeconds: 1,
};

let world: ScaleWorld;
let servers: readonly Manager[];

beforeAll(async () => {
  world = await openSmallWorld();
  servers = [world.manager, await world.addManager()];
  await servers[1]?.start();
  await createApps(world, [{ name: app, rollout }]);
});
afterAll(() => world[Symbol.asyncDispose]());

/** In which wave each unit is, from 0. */
async function waveOfUnits(): Promise<ReadonlyMap<string, number>> {
  const { items } = await world.client.listAll(edgeUnitResource, { signal });
  return new Map(
    items.map(({ metadata }) => {
      const at = waves.findIndex((parts) => parts.includes(metadata.labels?.['example.org/part'] ?? ''));
      return [metadata.name ?? '', at === -1 ? waves.length : at] as const;
    }),
  );
}

/** Follows the clones; each other image of one of them is a step. */
async function followSteps(): Promise<{ take(): readonly string[]; stop(): Promise<void> }> {
  const tasks = createTaskGroup({ name: 'steps' }, { onFailure: () => undefined });
  const list = await world.client.list(resources.deployments, { namespace: 'default', signal });
  const imageOf = ({ spec }: (typeof list.items)[number]): string =>
    spec?.template.spec?.containers[0]?.image ?? '';
  const images = new Map(list.items.map((clone) => [clone.metadata.name ?? '', imageOf(clone)]));
  const units: string[] = [];
  const { resourceVersion } = list.metadata;
  const options = { namespace: 'default', resourceVersion, timeoutSeconds: 3_600, signal: tasks.signal };
  const watch = await world.client.watch(resources.deployments, options);
  tasks.run('watch', async () => {
    for await (const batch of watch) {
      for (const event of batch) {
        if (event.type !== 'MODIFIED') continue;
        const { name = '', labels: own = {} } = event.object.metadata;
        if (images.get(name) === imageOf(event.object)) continue;
        images.set(name, imageOf(event.object));
        units.push(own[labels.unit] ?? '');
      }
    }
  });
  return { take: () => units.splice(0), stop: () => tasks.stop() };
}

const versions = ['2', '3', '4', '5', '6'];

test(
  'rollouts lose and repeat no step while their servers are killed, whenever that is',
  patient,
  async () => {
    const seed = Date.now() % 1_000_000;
    const random = seededRandom(seed);
    const steps = await followSteps();
    const waveOf = await waveOfUnits();
    const killers = createTaskGroup(
      { name: 'killers' },
      { onFailure: (error) => expect.unreachable(String(error)) },
    );
    let kills = 0;
    killers.run('kill', async (within) => {
      for (;;) {
        const requests = (await world.audit.requests()).length + 1 + Math.floor(random() * 40);
        const wait = { what: `${requests} requests`, timeoutMs: 600_000, everyMs: 5, signal: within };
        await waitFor(wait, systemClock, async () => (await world.audit.requests()).length >= requests);
        const server = servers[random() < 0.5 ? 0 : 1];
        await server?.stop('SIGKILL');
        await server?.start();
        kills += 1;
      }
    });
    for (const version of versions) {
      await changeImage(world, app, `registry.example.org/shop:${version}`);
      const units = steps.take();
      const inOrder = units.map((unit) => waveOf.get(unit) ?? -1);
      expect(units.toSorted(), `seed ${seed}`).toEqual(world.units.toSorted());
      expect(inOrder, `seed ${seed}`).toEqual(inOrder.toSorted((a, b) => a - b));
      expect(new Set(inOrder).size).toBe(waves.length + 1);
    }
    await killers.stop();
    await steps.stop();
    expect(kills, `seed ${seed}`).toBeGreaterThanOrEqual(versions.length);
  },
);
