import { labels } from '@selvedge/api';
import { mergePatch, resources } from '@selvedge/kube';
import { edgeUnitResource, unitAppResource } from '@selvedge/unit-controller';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  Killer,
  conditionOf,
  imageOf,
  isAt,
  rollout,
  specOf,
  stepsIn,
  templateOf,
  unitOf,
} from './app-tools.ts';
import { clonesAreKept } from './app-clones-suite.ts';
import { AppWorld, type RunningApps, ShiftedClock, namespace, signal, until } from './app-world.ts';

const hourMs = 3_600_000;
const clock = new ShiftedClock();
const shops = ['shop-1', 'shop-2', 'shop-3'];

let world: AppWorld;
let running: RunningApps;

beforeAll(async () => {
  world = await AppWorld.start();
  for (const name of shops) await world.addUnit(name, { tier: name === 'shop-1' ? 'canary' : 'shop' });
  running = await world.run({ clock });
});
afterAll(async () => {
  await running[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const imagesOf = (app: string): Promise<readonly (string | undefined)[]> =>
  Promise.all(shops.map(async (shop) => imageOf(await world.deployment(`${app}-${shop}`))));

describe('a rollout', () => {
  test('comes to all units, wave after wave, and says so to kubectl', async () => {
    await world.createApp('till', specOf('till:1'));
    await world.kubectl(['wait', '--for=condition=Updated', '--timeout=90s', 'unitapp/till']);
    const app = await world.reached('till', 'Done');
    expect(app.status).toMatchObject({
      currentRevision: 1,
      totals: { units: 3, updated: 3, healthy: 3 },
      units: shops.map((name) => ({ name, workload: `till-${name}`, revision: 1, state: 'Healthy' })),
    });
    const steps = stepsIn(running.writes, 'till', 1);
    expect(steps[0]).toBe('PATCH deployments/till-shop-1 1');
    expect(steps.toSorted()).toEqual(shops.map((shop) => `PATCH deployments/till-${shop} 1`));
    const clone = await world.deployment('till-shop-2');
    expect(clone?.metadata.ownerReferences).toMatchObject([{ kind: 'UnitApp', name: 'till' }]);
    const { stdout } = await world.kubectl(['get', 'unitapp', 'till']);
    expect(stdout).toMatch(/till\s+Deployment\s+3\s+3\s+3\s+Done/);
    const told = await until('events', async () => {
      const events = await world.events('till');
      return events.some((event) => event.startsWith('RolloutDone')) && events;
    });
    expect(told).toContain('RolloutWave revision 1 comes to wave canary');
  });

  test('keeps what is different in a unit', async () => {
    const overrides = [{ name: 'busy', units: ['shop-2'], replicas: 2 }];
    for (const image of ['till:2', 'till:3']) {
      await world.changeApp('till', { ...templateOf(image), overrides });
      await world.reached('till', 'Done');
      expect(await imagesOf('till')).toEqual([image, image, image]);
      const clones = await Promise.all(shops.map((shop) => world.deployment(`till-${shop}`)));
      expect(clones.map((clone) => clone?.spec?.replicas)).toEqual([1, 2, 1]);
    }
  });

  test('stops at the first wave where a revision is bad, and takes it back', async () => {
    const patient = { ...rollout, onFailure: 'rollback', unitDeadlineSeconds: 10 };
    await world.changeApp('till', { ...templateOf('till:bad'), rollout: patient });
    await until('a unit on its way', async () => {
      const unit = unitOf(await world.app('till'), 'shop-1');
      return unit?.revision === 4 && unit.message === '0 of 1 pods available';
    });
    clock.forward(11_000);
    await world.poke('till');
    const app = await world.reached('till', 'RolledBack');
    expect(app.status).toMatchObject({ currentRevision: 3, updateRevision: 4, totals: { updated: 0 } });
    expect(app.status?.rollout?.message).toBe('1 failed: shop-1: 0 of 1 pods available');
    expect(conditionOf(app, 'Updated')).toBe('False RolledBack');
    expect(await imagesOf('till')).toEqual(['till:3', 'till:3', 'till:3']);
    expect(stepsIn(running.writes, 'till', 4)).toEqual(['PATCH deployments/till-shop-1 4']);
  });

  test('does not wait for a unit without a link, which catches up', async () => {
    await world.link('shop-3', false);
    await world.changeApp('till', templateOf('till:5'));
    const app = await world.reached('till', 'Done');
    expect(unitOf(app, 'shop-3')).toMatchObject({ state: 'Offline', revision: 3 });
    expect(conditionOf(app, 'Updated')).toBe('True Done');
    expect(await imagesOf('till')).toEqual(['till:5', 'till:5', 'till:3']);
    await world.link('shop-3', true);
    await until('the unit has caught up', async () => (await imagesOf('till'))[2] === 'till:5');
    const { stdout } = await world.kubectl(['get', 'controllerrevisions', '--output=name']);
    expect(stdout.trim().split('\n')).toHaveLength(5);
  });

  test('waits for the maintenance window of a unit', async () => {
    const day = Math.ceil((clock.now() + hourMs) / (24 * hourMs)) * 24 * hourMs;
    clock.setTo(day);
    const maintenanceWindows = [{ cron: '0 2 * * *', durationMinutes: 60 }];
    await world.addUnit('shop-night', { night: 'yes' }, { maintenanceWindows });
    const unitSelector = { matchLabels: { night: 'yes' } };
    await world.createApp('night', specOf('till:1', { unitSelector, rollout: { bakeSeconds: 0 } }));
    const closed = await until('a unit that waits', async () => {
      const unit = unitOf(await world.app('night'), 'shop-night');
      return unit?.state === 'Waiting' && unit;
    });
    expect(closed.message).toBe('until its maintenance window opens');
    expect(await world.deployment('night-shop-night')).toBeUndefined();
    clock.setTo(day + 2.5 * hourMs);
    await world.poke('night');
    await world.reached('night', 'Done');
  });

  test('goes on in the other units where one has an object of somebody else, or cannot have a text', async () => {
    await world.admin.create(
      resources.deployments,
      {
        metadata: { name: 'other-shop-1', namespace },
        spec: {
          selector: { matchLabels: { app: 'x' } },
          template: {
            metadata: { labels: { app: 'x' } },
            spec: { containers: [{ name: 'theirs', image: 'theirs' }] },
          },
        },
      },
      { signal },
    );
    const labelled = mergePatch({ metadata: { labels: { rack: '7' } } });
    for (const name of ['shop-1', 'shop-2']) {
      await world.admin.patch(edgeUnitResource, { name }, { patch: labelled, signal });
    }
    const metadata = { annotations: { rack: '{{unit.labels.rack}}' } };
    const { template } = specOf('till:1');
    await world.createApp('other', specOf('till:1', { template: { ...template, metadata } }));
    const held = await until('a wave that holds', async () => {
      const seen = await world.app('other');
      return seen.status?.rollout?.message !== undefined && seen;
    });
    expect(held.status?.rollout).toMatchObject({
      state: 'Progressing',
      wave: 'canary',
      message: expect.stringContaining('no unit of the wave can show it: shop-1: the Deployment'),
    });
    await world.changeApp('other', { rollout: { ...rollout, waves: [] } });
    const app = await until('reasons', async () => {
      const seen = await world.app('other');
      return unitOf(seen, 'shop-1')?.message !== undefined && isAt(seen, 'Done') && seen;
    });
    expect(app.status?.units?.map(({ state, message }) => [state, message])).toEqual([
      ['Waiting', "the Deployment other-shop-1 is there and is not this UnitApp's"],
      ['Healthy', undefined],
      ['Waiting', expect.stringContaining('the unit shop-3 has no label rack')],
    ]);
    expect(conditionOf(app, 'Invalid')).toBe('True Invalid');
    const theirs = await world.deployment('other-shop-1');
    expect([imageOf(theirs), theirs?.metadata.labels]).toEqual(['theirs', undefined]);
    await until('an event', async () => {
      const events = await world.events('other');
      return events.some((event) => event.startsWith('CloneRefused shop-1: the Deployment'));
    });
    await world.admin.delete(unitAppResource, { namespace, name: 'other' }, { signal });
  });

  test('brings StatefulSets and DaemonSets as well, behind one Service for all units', async () => {
    const unitSelector = { matchLabels: { tier: 'canary' } };
    const service = { shared: true, spec: { ports: [{ port: 80 }] } };
    const podTemplate = specOf('db:1').template.spec['template'];
    for (const kind of ['StatefulSet', 'DaemonSet'] as const) {
      const template = { kind, spec: { template: podTemplate } };
      await world.createApp(kind.toLowerCase(), specOf('db:1', { unitSelector, service, template }));
    }
    await world.reached('daemonset', 'Done');
    const { status } = await world.reached('statefulset', 'Done');
    expect(status?.totals).toMatchObject({ units: 1, updated: 1, healthy: 1 });
    const set = await world.admin.get(
      resources.statefulSets,
      { namespace, name: 'statefulset-shop-1' },
      { signal },
    );
    expect(set.spec?.serviceName).toBe('statefulset');
    const shared = await world.admin.get(resources.services, { namespace, name: 'statefulset' }, { signal });
    expect(shared.metadata.annotations).toMatchObject({ 'selvedge.io/traffic-scope': 'unit' });
    expect(shared.spec?.selector).toEqual({ [labels.unitApp]: 'statefulset' });
  });

  test('says what the API server refuses, and tries it no more for a while', async () => {
    const unitSelector = { matchLabels: { tier: 'canary' } };
    const { template } = specOf('odd:1');
    const spec = { ...template.spec, unheardOf: true };
    await world.createApp('odd', specOf('odd:1', { unitSelector, template: { ...template, spec } }));
    const app = await until('a reason', async () => {
      const seen = await world.app('odd');
      return unitOf(seen, 'shop-1')?.message !== undefined && seen;
    });
    expect(unitOf(app, 'shop-1')).toMatchObject({
      state: 'Waiting',
      message: expect.stringContaining('unheardOf'),
    });
    expect(conditionOf(app, 'Invalid')).toBe('True Invalid');
    await world.changeApp('odd', { ...templateOf('odd:1'), unitSelector });
    await world.changeApp('odd', { template: { kind: 'Deployment', spec: { unheardOf: null } } });
    await world.reached('odd', 'Done');
  });
});

clonesAreKept({ world: () => world, clock });

describe('whoever leads', () => {
  test('goes on where the one before was killed: no step is lost, none is done twice', async () => {
    await running[Symbol.asyncDispose]();
    await world.changeApp('till', templateOf('till:6'));
    const writes: string[] = [];
    for (let round = 0; !isAt(await world.app('till'), 'Done'); round += 1) {
      const told = new Killer((round % 3) + 1, round % 2 === 0);
      const killed = await world.run({ clock, told });
      await until('an end', async () => told.isDone || isAt(await world.app('till'), 'Done'));
      await killed[Symbol.asyncDispose]();
      writes.push(...killed.writes);
    }
    expect(await imagesOf('till')).toEqual(['till:6', 'till:6', 'till:6']);
    expect(stepsIn(writes, 'till', 6).toSorted()).toEqual(
      shops.map((shop) => `PATCH deployments/till-${shop} 6`),
    );
  });

  test('does no step that another who thinks the same has done', async () => {
    const both = await Promise.all([world.run({ clock }), world.run({ clock })]);
    await world.changeApp('till', templateOf('till:7'));
    await world.reached('till', 'Done');
    for (const one of both) await one[Symbol.asyncDispose]();
    const steps = both.flatMap(({ writes }) => stepsIn(writes, 'till', 7));
    expect(steps.toSorted()).toEqual(shops.map((shop) => `PATCH deployments/till-${shop} 7`));
  });

  test('writes nothing while nothing changes, from its start on', async () => {
    await until(
      'the clones of a UnitApp that is gone to be gone',
      async () => (await world.deployment('other-shop-2')) === undefined,
    );
    await until('workloads at rest', () => world.isAtRest());
    const last = await world.run({ clock, resyncMs: 200 });
    await until('what was left is told', async () => last.passesSinceWrite() > 40);
    await last[Symbol.asyncDispose]();
    running = await world.run({ clock, resyncMs: 200 });
    await until('all is looked at again and again', async () => running.passesSinceWrite() > 40);
    expect(running.writes).toEqual([]);
    expect(running.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
