import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UnitAppSpec } from '@selvedge/api';
import type { UnitAppObject } from '@selvedge/unit-controller';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestServer, json, newTestAuthority, startTestServer } from '../contract/http-server.ts';
import { conditionOf, imageOf, isAt, specOf, stepsIn, templateOf, unitOf } from './app-tools.ts';
import { AppWorld, type RunningApps, ShiftedClock, signal, until } from './app-world.ts';
import { followClones } from './clones-on-their-way.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const clock = new ShiftedClock();
const shops = ['shop-1', 'shop-2', 'shop-3'];
/** Not the order of their names. */
const inWaves = ['shop-3', 'shop-2', 'shop-1'];
const waveOf = (tier: string) => ({ name: tier, unitSelector: { matchLabels: { tier } } });
const rollout: NonNullable<UnitAppSpec['rollout']> = {
  waves: [waveOf('first'), waveOf('second')],
  maxUnavailableUnits: '100%',
  bakeSeconds: 0,
};
/** What the server of metrics says of units. */
const errors = new Map(shops.map((shop) => [shop, 0]));
const asked: string[] = [];
let onWrite = (_write: string): void => undefined;

let folder: string;
let server: TestServer;
let world: AppWorld;
let running: RunningApps;

beforeAll(async () => {
  const authority = await newTestAuthority();
  folder = await mkdtemp(join(tmpdir(), 'app-gates-'));
  const caFile = join(folder, 'ca.crt');
  await writeFile(caFile, authority.keyPair.certificate);
  server = await startTestServer({ protocol: 'http/1.1', authority });
  server.handler = ({ url = '' }, response) => {
    const unit = url.slice(1);
    asked.push(unit);
    json(response, { errors: errors.get(unit) });
  };
  world = await AppWorld.start();
  await world.addUnit('shop-1', { tier: 'last' });
  await world.addUnit('shop-2', { tier: 'second' });
  await world.addUnit('shop-3', { tier: 'first' });
  const metricGate = { servers: [{ url: server.url, caFile }], freshMs: 0 };
  running = await world.run({ clock, metricGate, told: { onWrite: (write) => onWrite(write) } });
});
afterAll(async () => {
  await running[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const reached = (name: string, state: string, wave?: string): Promise<UnitAppObject> =>
  until(`${name} ${state}`, async () => {
    const app = await world.app(name);
    return isAt(app, state) && (wave === undefined || app.status?.rollout?.wave === wave) && app;
  });

const imagesOf = (app: string): Promise<readonly (string | undefined)[]> =>
  Promise.all(shops.map(async (shop) => imageOf(await world.deployment(`${app}-${shop}`))));

const stepsOf = (app: string, revision: number, units: readonly string[]): readonly string[] =>
  units.map((unit) => `PATCH deployments/${app}-${unit} ${revision}`);

describe('waves', () => {
  test('come one after the other in their order, each when the one before is healthy', async () => {
    const clones = await followClones(world.admin, 'till');
    await world.createApp('till', specOf('till:1', { rollout }));
    await reached('till', 'Done');
    expect(stepsIn(running.writes, 'till', 1)).toEqual(stepsOf('till', 1, inWaves));
    await until('all units to be seen', async () => clones.begun.length === 3 && clones.now.size === 0);
    expect([clones.begun, clones.mostAtOnce]).toEqual([inWaves, 1]);
    await clones.end();
  });

  test('are watched for their time, while no more units than allowed are on their way, and held by a pause', async () => {
    const clones = await followClones(world.admin, 'till');
    const slow = { waves: [waveOf('first')], maxUnavailableUnits: 1, bakeSeconds: 3_600 };
    await world.changeApp('till', { ...templateOf('till:2'), rollout: slow });
    await reached('till', 'Baking', 'first');
    clock.forward(hourMs / 2);
    // What is told of another spec is told at this time.
    await world.changeApp('till', { revisionHistoryLimit: 9 });
    await reached('till', 'Baking', 'first');
    await world.changeApp('till', { rollout: { pause: true } });
    await reached('till', 'Paused');
    clock.forward(2 * hourMs);
    await world.changeApp('till', { revisionHistoryLimit: 8 });
    const paused = await reached('till', 'Paused');
    expect(paused.status?.totals).toMatchObject({ updated: 1, healthy: 3 });
    expect(stepsIn(running.writes, 'till', 2)).toEqual(stepsOf('till', 2, ['shop-3']));
    await world.changeApp('till', { rollout: { pause: false } });
    await reached('till', 'Baking', 'first');
    clock.forward(hourMs);
    await world.poke('till');
    await reached('till', 'Baking', 'Others');
    clock.forward(hourMs);
    await world.poke('till');
    await reached('till', 'Done');
    const order = ['shop-3', 'shop-1', 'shop-2'];
    expect(stepsIn(running.writes, 'till', 2)).toEqual(stepsOf('till', 2, order));
    await until('all units to be seen', async () => clones.begun.length === 3 && clones.now.size === 0);
    expect([clones.begun, clones.mostAtOnce]).toEqual([order, 1]);
    await clones.end();
  });
});

test('an old revision that is asked for comes to all units, and the new one again when it is not', async () => {
  await world.changeApp('till', { rollout, rollbackTo: 1 });
  const old = await reached('till', 'Done');
  expect(old.status).toMatchObject({ currentRevision: 1, totals: { updated: 3, healthy: 3 } });
  expect(old.status?.units?.map(({ revision }) => revision)).toEqual([1, 1, 1]);
  expect(await imagesOf('till')).toEqual(['till:1', 'till:1', 'till:1']);
  await world.changeApp('till', { rollbackTo: null });
  const again = await reached('till', 'Done');
  expect(again.status).toMatchObject({ currentRevision: 2, totals: { updated: 3, healthy: 3 } });
  expect(await imagesOf('till')).toEqual(['till:2', 'till:2', 'till:2']);
  for (const revision of [1, 2]) {
    expect(stepsIn(running.writes, 'till', revision).slice(3)).toEqual(stepsOf('till', revision, inWaves));
  }
  const { stdout } = await world.kubectl(['get', 'controllerrevisions', '--output=name']);
  expect(stdout.trim().split('\n')).toHaveLength(2);
});

test('a unit of which a server of metrics tells a bad number fails and stops the rollout, until it is good', async () => {
  const metric = { url: `${server.url}/{{unit.name}}`, field: '/errors', atMost: '1' };
  const gated = { ...rollout, onFailure: 'stop', healthGate: { metric } } as const;
  errors.set('shop-2', 7);
  await world.createApp('gauged', specOf('gauged:1', { rollout: gated }));
  const why = 'the metric is 7, more than 1';
  await until('a bad number', async () => unitOf(await world.app('gauged'), 'shop-2')?.message === why);
  clock.forward(10 * minuteMs);
  await world.poke('gauged');
  const stopped = await reached('gauged', 'Stopped');
  expect(stopped.status?.rollout).toMatchObject({ wave: 'second', message: `1 failed: shop-2: ${why}` });
  expect(unitOf(stopped, 'shop-2')?.state).toBe('Failed');
  expect(conditionOf(stopped, 'Updated')).toBe('False Stopped');
  expect(await world.deployment('gauged-shop-1')).toBeUndefined();
  expect(new Set(asked)).toEqual(new Set(['shop-3', 'shop-2']));
  errors.set('shop-2', 1);
  await world.changeApp('gauged', { revisionHistoryLimit: 9 });
  await reached('gauged', 'Done');
  expect(stepsIn(running.writes, 'gauged', 1)).toEqual(stepsOf('gauged', 1, inWaves));
  expect(asked).toContain('shop-1');
});

test('a rollout ends as it should where the API server is killed while a step of it is sent', async () => {
  const [step = ''] = stepsOf('till', 3, ['shop-2']);
  let killed: Promise<void> | undefined;
  onWrite = (write) => {
    if (write === step) killed ??= world.controlPlane.stopApiServer('kill');
  };
  const generations = async () =>
    Promise.all(shops.map(async (shop) => (await world.deployment(`till-${shop}`))?.metadata.generation));
  const before = await generations();
  // It goes on no further before the API server is there again.
  world.kubelets('shop-2', false);
  await world.changeApp('till', templateOf('till:3'));
  await until('the step', async () => killed !== undefined);
  await killed;
  world.kubelets('shop-2', true);
  await world.controlPlane.startApiServer(signal);
  const app = await reached('till', 'Done');
  expect(app.status).toMatchObject({ currentRevision: 3, totals: { updated: 3, healthy: 3 } });
  expect(await imagesOf('till')).toEqual(['till:3', 'till:3', 'till:3']);
  expect(await generations()).toEqual(before.map((generation = 0) => generation + 1));
  // Of that step it is open whether its answer came.
  const others = stepsIn(running.writes, 'till', 3).filter((write) => write !== step);
  expect(others).toEqual(stepsOf('till', 3, ['shop-3', 'shop-1']));
});
