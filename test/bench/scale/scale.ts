import { bundleOf, bundleProgram } from '@selvedge/hack/programs';
import { type BenchRow, type Goal, row } from '../row.ts';
import { type AppChange, changeImage, createApps } from './app-scenes.ts';
import { lineThrough, valueAt } from './linear.ts';
import { converged, quiet } from './observe.ts';
import { type Idle, type Restart, cut, enlist, heal, idle, relabel, restart } from './scenes.ts';
import { type ScaleWorld, openScaleWorld } from './world.ts';

const nodesOfEach = 5;
/** Units at which everything is measured that depends on their number. */
const sizes = [100, 300, 1_000];
const predictedNodes = 100_000;
const shortIdleSeconds = 60;
const longIdleSeconds = 600;
const quietSeconds = 5;
const cutShare = 0.3;
/** One in all units, the others in a tenth of them. */
const apps = 100;
const parts = 10;
/** Even: all are members in the end. */
const memberMoves = 10;
const patientMs = 30 * 60_000;

interface Sized {
  readonly nodes: number;
  readonly restarts: readonly Restart[];
  readonly idle: Idle;
}

const say = (text: string): boolean => process.stderr.write(`bench: units: ${text}\n`);
const atMost = (value: number): Goal => ({ kind: 'at-most', value });
const ticksPerSecond = 100;

async function measureSize(world: ScaleWorld, units: number): Promise<Sized> {
  await world.grow(units - world.units.length, nodesOfEach);
  await converged(world, Date.now(), patientMs);
  await quiet(world, quietSeconds, patientMs);
  const nodes = world.nodes.names.length;
  const restarts = [await restart(world), await restart(world), await restart(world)];
  await quiet(world, quietSeconds, patientMs);
  const seen = await idle(world, shortIdleSeconds);
  say(`${nodes} nodes: renewals were late by ${Math.round(seen.lagMs)} ms at most`);
  return { nodes, restarts, idle: seen };
}

function sizeRows({ nodes, restarts, idle: seen }: Sized): readonly BenchRow[] {
  const seconds = restarts.map(({ convergedMs }) => convergedMs / 1_000);
  const cpu = restarts.map(({ use }) => use.cpuTicks / ticksPerSecond);
  const peak = restarts.map(({ use }) => use.peakMb);
  return [
    row({ id: `units.restart.${nodes}`, unit: 's', ours: seconds, goal: atMost(60) }),
    row({ id: `units.restart.cpu.${nodes}`, unit: 's', ours: cpu }),
    row({ id: `units.restart.memory.peak.${nodes}`, unit: 'MB', ours: peak, goal: atMost(1_000) }),
    row({ id: `units.idle.memory.${nodes}`, unit: 'MB', ours: [seen.use.residentMb] }),
    row({ id: `units.idle.cpu.${nodes}`, unit: '%', ours: [seen.cpuPercent] }),
    row({ id: `units.idle.writes.${nodes}`, unit: '', ours: [seen.written.total], goal: atMost(0) }),
  ];
}

/** Told, not shown as a row: nobody has seen it. */
function predict(measured: readonly Sized[]): void {
  const at = (value: (sized: Sized) => number): string =>
    valueAt(lineThrough(measured.map((sized) => [sized.nodes, value(sized)])), predictedNodes).toPrecision(3);
  say(`the lines through these are, at ${predictedNodes} nodes:`);
  say(`  ${at((sized) => Math.max(...sized.restarts.map(({ use }) => use.peakMb)))} MB after a restart`);
  say(
    `  ${at(({ restarts: [first] }) => (first?.use.cpuTicks ?? 0) / ticksPerSecond)} s of CPU for a restart`,
  );
  say(`  ${at((sized) => sized.idle.cpuPercent)} % of a processor while nothing changes`);
}

async function steadyRows(world: ScaleWorld): Promise<readonly BenchRow[]> {
  const seen = await idle(world, longIdleSeconds);
  const change = await relabel(world, 'unit-1', 'beta');
  const all = world.nodes.names.filter((name) => name.startsWith('unit-2-'));
  const moves: number[] = [];
  for (let round = 0; round < memberMoves; round += 1) {
    moves.push(await enlist(world, 'unit-2', round % 2 === 0 ? all.slice(1) : all));
  }
  return [
    row({ id: 'units.idle.writes.10min', unit: '', ours: [seen.written.total], goal: atMost(0) }),
    row({ id: 'units.change.writes', unit: '1/node', ours: [change.total / nodesOfEach] }),
    row({ id: 'units.change.members', unit: 'ms', ours: moves, goal: atMost(2_000) }),
  ];
}

async function cutRows(world: ScaleWorld): Promise<readonly BenchRow[]> {
  const gone = world.nodes.names.slice(0, world.nodes.names.length * cutShare);
  const control = await world.addControl();
  await world.addPods([...gone, control]);
  await quiet(world, quietSeconds, patientMs);
  const seen = await cut(world, gone, { control, holdSeconds: 60 });
  await heal(world, [...gone, control]);
  const marks = (seen.written.total - seen.renewals) / seen.moves;
  return [
    row({ id: 'units.cut.known', unit: 's', ours: [seen.knownMs / 1_000] }),
    row({ id: 'units.cut.marked', unit: 's', ours: [seen.markedMs / 1_000] }),
    row({ id: 'units.cut.writes', unit: '1/move', ours: [marks] }),
    row({ id: 'units.cut.writes.peak', unit: '1/s', ours: [seen.written.peakPerSecond] }),
    row({ id: 'units.cut.unready', unit: '', ours: [seen.unready], goal: atMost(0) }),
    row({ id: 'units.cut.evicted', unit: '', ours: [seen.evicted], goal: atMost(0) }),
  ];
}

async function appRows(world: ScaleWorld): Promise<readonly BenchRow[]> {
  const some = Array.from({ length: apps - 1 }, (_, each) => ({
    name: `app-${each}`,
    part: String(each % parts),
  }));
  const made = await createApps(world, [{ name: 'everywhere' }, ...some]);
  const units = world.units.length;
  const clones = units + ((apps - 1) * units) / parts;
  const changes: AppChange[] = [];
  for (const version of ['2', '3', '4']) {
    changes.push(await changeImage(world, 'everywhere', `registry.example.org/shop:${version}`));
  }
  const perUnit = changes.map(({ written }) => written.asked / units);
  const again = await restart(world);
  return [
    row({ id: 'units.apps.make.requests', unit: '1/clone', ours: [made.written.asked / clones] }),
    row({ id: 'units.apps.make', unit: 's', ours: [made.doneMs / 1_000] }),
    row({ id: 'units.apps.change.requests', unit: '1/unit', ours: perUnit, goal: atMost(2) }),
    row({ id: 'units.apps.change', unit: 's', ours: changes.map(({ doneMs }) => doneMs / 1_000) }),
    row({ id: 'units.apps.restart', unit: 's', ours: [again.convergedMs / 1_000], goal: atMost(60) }),
    row({
      id: 'units.apps.restart.memory.peak',
      unit: 'MB',
      ours: [again.use.peakMb],
      goal: atMost(1_000),
    }),
  ];
}

/** cloud-manager as it is shipped, on one processor, among nodes that are none. */
export async function scaleBench(): Promise<readonly BenchRow[]> {
  await bundleProgram('cloud-manager');
  await using world = await openScaleWorld({
    program: [process.execPath, bundleOf('cloud-manager')],
    processors: '0',
    gracePeriodSeconds: 40,
    monitorGraceSeconds: 50,
    beatMs: 10_000,
    beatsPerStatus: 30,
  });
  await world.manager.start();
  const measured: Sized[] = [];
  for (const units of sizes) measured.push(await measureSize(world, units));
  predict(measured);
  return [
    ...measured.flatMap(sizeRows),
    ...(await steadyRows(world)),
    ...(await cutRows(world)),
    ...(await appRows(world)),
  ];
}
