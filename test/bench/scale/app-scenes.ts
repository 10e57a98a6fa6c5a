import { waitFor } from '@selvedge/bed';
import { systemClock } from '@selvedge/kit';
import { mergePatch } from '@selvedge/kube';
import { type UnitAppObject, unitAppResource } from '@selvedge/unit-controller';
import { inTurns } from './in-turns.ts';
import { type Written, watchWrites } from './observe.ts';
import type { ScaleWorld } from './world.ts';

const { signal } = new AbortController();
const patientMs = 30 * 60_000;
const namespace = 'default';
const timeoutMs = 20_000;

export interface AppsOptions {
  readonly name: string;
  /** The units that it is in, by their label `example.org/part`; undefined: all. */
  readonly part?: string | undefined;
  /** Default: all units at once, without a bake. */
  readonly rollout?: object | undefined;
}

/** With a Deployment in each unit. */
function appOf({ name, part, rollout }: AppsOptions): UnitAppObject {
  const matchLabels = { app: name };
  const containers = [{ name: 'main', image: 'registry.example.org/shop:1', ports: [{ containerPort: 80 }] }];
  return {
    metadata: { name, namespace },
    spec: {
      unitSelector: part === undefined ? {} : { matchLabels: { 'example.org/part': part } },
      template: {
        kind: 'Deployment',
        metadata: { labels: matchLabels },
        spec: {
          replicas: 2,
          selector: { matchLabels },
          template: { metadata: { labels: matchLabels }, spec: { containers } },
        },
      },
      rollout: rollout ?? { maxUnavailableUnits: '100%', bakeSeconds: 0 },
    },
  } as unknown as UnitAppObject;
}

export interface AppChange {
  /** Until the UnitApps say that all is done, in milliseconds. */
  readonly doneMs: number;
  readonly written: Written;
}

function isDone({ metadata, status = {} }: UnitAppObject): boolean {
  const { units = -1, updated, healthy } = status.totals ?? {};
  const isSeen = status.observedGeneration === metadata.generation && status.rollout?.state === 'Done';
  return isSeen && updated === units && healthy === units;
}

async function untilUpdated(world: ScaleWorld, names: ReadonlySet<string>): Promise<void> {
  const wait = { what: 'UnitApps that are in all their units', timeoutMs: patientMs, everyMs: 500 };
  await waitFor(wait, systemClock, async () => {
    const { items } = await world.client.listAll(unitAppResource, { namespace, signal });
    const done = items.filter((app) => names.has(app.metadata.name ?? '') && isDone(app));
    return done.length === names.size;
  });
}

export async function createApps(world: ScaleWorld, apps: readonly AppsOptions[]): Promise<AppChange> {
  const written = await watchWrites(world);
  const since = Date.now();
  await inTurns(apps, 8, async (app) => {
    await world.client.create(unitAppResource, appOf(app), { signal, timeoutMs });
  });
  await untilUpdated(world, new Set(apps.map(({ name }) => name)));
  return { doneMs: Date.now() - since, written: await written() };
}

/** Another image for one UnitApp, in all its units. */
export async function changeImage(world: ScaleWorld, name: string, image: string): Promise<AppChange> {
  const written = await watchWrites(world);
  const since = Date.now();
  const containers = [{ name: 'main', image }];
  const patch = mergePatch({ spec: { template: { spec: { template: { spec: { containers } } } } } });
  await world.client.patch(unitAppResource, { namespace, name }, { patch, signal, timeoutMs });
  await untilUpdated(world, new Set([name]));
  return { doneMs: Date.now() - since, written: await written() };
}
