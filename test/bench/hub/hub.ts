import { systemClock } from '@selvedge/kit';
import type { BenchRow, Goal } from '../row.ts';
import { row } from '../row.ts';
import { type Place, type Samples, deliveries, getRate, gets, lists } from './latency.ts';
import { createPods } from './objects.ts';
import { scopeRows } from './scope.ts';
import { type HubWorld, openHubWorld } from './world.ts';

const peerName = 'kube-apiserver 1.36.3';
const sizes = [100, 1_000, 10_000] as const;
const settleMs = 20_000;
const looks = 10;

interface Measured {
  readonly id: string;
  readonly unit: string;
  readonly samples: Samples;
  readonly quantile?: number;
}

const beside = ({ samples, ...rest }: Measured): BenchRow =>
  row({ ...rest, ours: samples.hub, peer: { name: peerName, values: samples.direct } });

const both = (id: string, samples: Samples): readonly BenchRow[] => [
  beside({ id: `${id}.p50`, unit: 'ms', samples }),
  beside({ id: `${id}.p99`, unit: 'ms', samples, quantile: 0.99 }),
];

async function memory(world: HubWorld, suffix: string, goal?: Goal): Promise<readonly BenchRow[]> {
  await systemClock.sleep(settleMs);
  const uses = [];
  for (let look = 0; look < looks; look += 1) {
    uses.push(await world.use());
    await systemClock.sleep(500);
  }
  return [
    row({ id: `hub.memory.resident.${suffix}`, unit: 'MB', ours: uses.map(({ residentMb }) => residentMb) }),
    row({
      id: `hub.memory.anonymous.${suffix}`,
      unit: 'MB',
      ours: uses.map(({ anonymousMb }) => anonymousMb),
      ...(goal === undefined ? {} : { goal }),
    }),
  ];
}

async function ofSize(world: HubWorld, count: number, signal: AbortSignal): Promise<readonly BenchRow[]> {
  const namespace = await createPods(world.direct, count, signal);
  const place: Place = { namespace, count, signal };
  // What a client has listed is held from then on.
  const listed = await lists(world, place, count === 10_000 ? 7 : 30);
  const rows = [
    ...both(`hub.list.${count}`, listed),
    ...both(`hub.get.${count}`, await gets(world, place, 300)),
    beside({ id: `hub.get.rate.${count}`, unit: '1/s', samples: await getRate(world, place, 2_000) }),
    ...both(`hub.watch.${count}`, await deliveries(world, place, { watchers: 1, rounds: 200 })),
  ];
  const goal: Goal | undefined = count === 10_000 ? { kind: 'at-most', value: 60 } : undefined;
  return [...rows, ...(await memory(world, String(count), goal))];
}

/** The hub beside the API server that it stands for, both asked by the same client in turn. About six minutes. */
export async function hubBench(): Promise<readonly BenchRow[]> {
  await using world = await openHubWorld();
  const { signal } = new AbortController();
  const rows: BenchRow[] = [...(await memory(world, '0'))];
  rows.push(...(await scopeRows(world, signal)));
  for (const count of sizes) rows.push(...(await ofSize(world, count, signal)));
  const place: Place = { namespace: `pods-${sizes[1]}`, count: sizes[1], signal };
  const fanOut = await deliveries(world, place, { watchers: 50, rounds: 50 });
  const starts: number[] = [];
  for (let round = 0; round < 5; round += 1) starts.push(await world.restart());
  return [
    ...rows,
    ...both('hub.fanout50', fanOut),
    row({ id: 'hub.start.first-answer', unit: 'ms', ours: starts }),
  ];
}
