import { systemClock } from '@selvedge/kit';
import { type BenchRow, type Goal, row } from '../row.ts';
import { type CloudRequest, isLease } from './audit-log.ts';
import { type IdleSide, type IdleWorld, idleSides, openIdleWorld } from './idle-world.ts';

const peerName = 'attached directly';
/** Starting is not idling: pods, tokens, first lists and the first watches have an end by then. */
const settleMs = 4 * 60_000;
const spanMs = 15 * 60_000;
const hourMs = 3_600_000;

/** Of one span, for each hour. */
interface IdleUse {
  readonly requests: Readonly<Record<IdleSide, readonly CloudRequest[]>>;
  readonly bytes: Readonly<Record<IdleSide, number>>;
  readonly diskBytesPerSecond: number;
  readonly hours: number;
}

async function useOf(world: IdleWorld): Promise<IdleUse> {
  const [began, before] = [systemClock.now(), await world.counters()];
  await systemClock.sleep(spanMs);
  const [ended, after] = [systemClock.now(), await world.counters()];
  const { hub, direct } = await world.requests();
  const within = (all: readonly CloudRequest[]): readonly CloudRequest[] =>
    all.filter(({ atMs }) => atMs >= began && atMs < ended);
  const grown = (side: IdleSide): number => after.wanBytes[side] - before.wanBytes[side];
  return {
    requests: { hub: within(hub), direct: within(direct) },
    bytes: { hub: grown('hub'), direct: grown('direct') },
    diskBytesPerSecond: ((after.diskBytes - before.diskBytes) * 1_000) / (ended - began),
    hours: (ended - began) / hourMs,
  };
}

/** Where the requests of a side come from, the most frequent first. */
function say(side: IdleSide, { requests, hours }: IdleUse): void {
  const counts = new Map<string, number>();
  for (const { by, what } of requests[side]) {
    counts.set(`${by}: ${what}`, (counts.get(`${by}: ${what}`) ?? 0) + 1);
  }
  const lines = [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([what, count]) => `  ${(count / hours).toFixed(0).padStart(5)} / h  ${what}`);
  process.stderr.write(`bench: requests, ${side}\n${lines.join('\n')}\n`);
}

function beside(use: IdleUse, id: string, of: (side: IdleSide) => number, ratio?: number): BenchRow {
  const goal: Goal = ratio === undefined ? { kind: 'none' } : { kind: 'at-most-ratio', ratio };
  const perHour = (side: IdleSide): number => of(side) / use.hours;
  const [unit, bare] = id.endsWith('bytes') ? (['kB/h', 1_000] as const) : (['1/h', 1] as const);
  return row({
    id,
    unit,
    ours: [perHour('hub') / bare],
    peer: { name: peerName, values: [perHour('direct') / bare] },
    goal,
  });
}

/**
 * What two nodes with ten pods and nothing to do cost in the same span: kubelet and kube-proxy at the hub beside the same
 * at the API server. Where the requests come from is told on stderr. About 20 minutes.
 */
export async function hubIdleBench(): Promise<readonly BenchRow[]> {
  await using world = await openIdleWorld();
  await systemClock.sleep(settleMs);
  const use = await useOf(world);
  for (const side of idleSides) say(side, use);
  const count = (side: IdleSide, counted: (request: CloudRequest) => boolean): number =>
    use.requests[side].filter(counted).length;
  return [
    beside(use, 'hub.idle.requests', (side) => use.requests[side].length, 0.5),
    beside(use, 'hub.idle.requests.lease', (side) => count(side, isLease)),
    beside(use, 'hub.idle.requests.other', (side) => count(side, (request) => !isLease(request)), 0.1),
    beside(use, 'hub.idle.bytes', (side) => use.bytes[side], 0.4),
    row({
      id: 'hub.idle.disk',
      unit: 'B/s',
      ours: [use.diskBytesPerSecond],
      goal: { kind: 'at-most', value: 100 },
    }),
  ];
}
