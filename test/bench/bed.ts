import { Bed } from '@selvedge/bed';
import { type Clock, systemClock } from '@selvedge/kit';
import { type BenchRow, row } from './row.ts';

const name = 'bench-bed';
const rounds = 3;

/** How long `work` takes, in seconds. */
async function seconds(clock: Clock, work: () => Promise<void>): Promise<number> {
  const started = clock.monotonicMs();
  await work();
  return (clock.monotonicMs() - started) / 1_000;
}

/** How long the testbed itself takes, from warm caches: a control plane, a stock node until it is Ready, the end. */
export async function bedBench(clock: Clock = systemClock): Promise<readonly BenchRow[]> {
  const samples = { up: [] as number[], node: [] as number[], down: [] as number[] };
  try {
    // What is not in the caches yet is made now.
    await Bed.up({ name, nodes: [{ name: 'warm' }] });
    await Bed.down(name);
    for (let round = 0; round < rounds; round += 1) {
      samples.up.push(
        await seconds(clock, async () => {
          await Bed.up({ name });
        }),
      );
      const bed = await Bed.open(name);
      samples.node.push(await seconds(clock, () => bed.addNode({ name: 'stock-1' })));
      samples.down.push(await seconds(clock, () => bed.down()));
    }
  } finally {
    await Bed.down(name);
  }
  return [
    row({ id: 'bed.up', unit: 's', ours: samples.up, goal: { kind: 'at-most', value: 10 } }),
    row({ id: 'bed.node', unit: 's', ours: samples.node, goal: { kind: 'at-most', value: 5 } }),
    row({ id: 'bed.down', unit: 's', ours: samples.down }),
  ];
}
