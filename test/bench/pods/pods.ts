import { systemClock } from '@selvedge/kit';
import { row, type BenchRow, type Goal } from '../row.ts';
import { idleCpu, memory, type Memory } from './footprint.ts';
import { agentRestarts, fill, rollouts, startAndDelete, type Samples } from './latency.ts';
import { openSubject } from './subject.ts';

const peerName = 'kubelet 1.36.3';
/** How long both agents are left alone before they are called idle, in milliseconds. */
const settleMs = 30_000;

interface Sides {
  readonly id: string;
  readonly unit: string;
  readonly samples: Samples;
  readonly quantile?: number;
  readonly goal?: Goal;
}

const beside = ({ samples, ...rest }: Sides): BenchRow =>
  row({ ...rest, ours: samples.lite, peer: { name: peerName, values: samples.stock } });

const atMostRatio = (ratio: number): Goal => ({ kind: 'at-most-ratio', ratio });

function memoryRows(suffix: string, { resident, anonymous }: Memory): BenchRow[] {
  return [
    beside({ id: `pods.memory.resident${suffix}`, unit: 'MB', samples: resident, goal: atMostRatio(0.8) }),
    beside({
      id: `pods.memory.anonymous${suffix}`,
      unit: 'MB',
      samples: anonymous,
      goal: { kind: 'at-most', value: 30 },
    }),
  ];
}

/** The stock kubelet beside edge-lite on equal nodes of one bed, samples taken in turn. About eight minutes. */
export async function podsBench(): Promise<readonly BenchRow[]> {
  await using subject = await openSubject();
  const settle = (): Promise<void> => systemClock.sleep(settleMs, subject.signal);
  const { start, remove } = await startAndDelete(subject, 30);
  const rollout = await rollouts(subject, 3);
  const restart = await agentRestarts(subject, 5);
  await fill(subject);
  await settle();
  const idle = await memory(subject, 10);
  const cpu = await idleCpu(subject, 1, 60_000);
  await startAndDelete(subject, 10);
  await settle();
  const churned = await memory(subject, 10);
  return [
    ...memoryRows('', idle),
    ...memoryRows('.churn', churned),
    beside({ id: 'pods.cpu.idle', unit: '%', samples: cpu, goal: atMostRatio(0.5) }),
    beside({ id: 'pods.start.p50', unit: 'ms', samples: start, goal: atMostRatio(0.5) }),
    beside({ id: 'pods.start.p90', unit: 'ms', samples: start, quantile: 0.9 }),
    beside({ id: 'pods.rollout10', unit: 'ms', samples: rollout }),
    beside({ id: 'pods.delete.p50', unit: 'ms', samples: remove }),
    beside({ id: 'pods.agent.restart', unit: 'ms', samples: restart }),
  ];
}
