import { performance } from 'node:perf_hooks';
import { resources } from '@selvedge/kube';
import type { Deployment } from '@selvedge/kube/types';
import { idlePod, isReady, sides, type Side, type Subject } from './subject.ts';

/** One list of samples for each side, taken in turn. */
export type Samples = Readonly<Record<Side, number[]>>;

export const newSamples = (): Samples => ({ lite: [], stock: [] });

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** POST of a bound pod → Ready, and DELETE with one second of grace → gone, in milliseconds. */
export async function startAndDelete(
  subject: Subject,
  rounds: number,
): Promise<{ readonly start: Samples; readonly remove: Samples }> {
  const [start, remove] = [newSamples(), newSamples()];
  for (let round = 0; round < rounds; round += 1) {
    for (const side of sides) {
      const name = `start-${side}-${round}`;
      const ready = subject.pods.until(name, isReady);
      start[side].push(
        await timed(() => Promise.all([subject.create(idlePod(name, side)), ready]).then(() => undefined)),
      );
      const gone = subject.pods.until(name, (pod) => pod === undefined);
      remove[side].push(await timed(() => Promise.all([subject.remove(name), gone]).then(() => undefined)));
    }
  }
  return { start, remove };
}

const labels = (side: Side): Record<string, string> => ({ rollout: side });

function deployment(side: Side, namespace: string): Deployment {
  const { metadata: _, spec } = idlePod('', side);
  if (spec === undefined) throw new TypeError('an idle pod has a spec');
  const { nodeName: _node, ...rest } = spec;
  return {
    metadata: { name: `rollout-${side}`, namespace },
    spec: {
      replicas: 10,
      selector: { matchLabels: labels(side) },
      template: {
        metadata: { labels: labels(side) },
        spec: { ...rest, nodeSelector: { 'kubernetes.io/hostname': side } },
      },
    },
  };
}

/** Creation of a Deployment of 10 → rolled out as kubectl sees it, in milliseconds. Its pods stay. */
async function rollOut(subject: Subject, side: Side): Promise<number> {
  const { client, namespace, signal, bed } = subject;
  return timed(async () => {
    await client.create(resources.deployments, deployment(side, namespace), { signal });
    await bed.kubectl([
      `--namespace=${namespace}`,
      'rollout',
      'status',
      `deployment/rollout-${side}`,
      '--timeout=120s',
    ]);
  });
}

async function takeBack(subject: Subject, side: Side): Promise<void> {
  await subject.bed.kubectl([
    `--namespace=${subject.namespace}`,
    'delete',
    `deployment/rollout-${side}`,
    '--cascade=foreground',
    '--timeout=120s',
  ]);
}

export async function rollouts(subject: Subject, rounds: number): Promise<Samples> {
  const samples = newSamples();
  for (let round = 0; round < rounds; round += 1) {
    for (const side of sides) {
      samples[side].push(await rollOut(subject, side));
      await takeBack(subject, side);
    }
  }
  return samples;
}

/** Leaves ten pods on each node. */
export async function fill(subject: Subject): Promise<void> {
  for (const side of sides) await rollOut(subject, side);
}

/** Start of the agent → Ready of a pod that was bound while it was away, in milliseconds. */
export async function agentRestarts(subject: Subject, rounds: number): Promise<Samples> {
  const samples = newSamples();
  for (let round = 0; round < rounds; round += 1) {
    for (const side of sides) {
      const name = `restart-${side}-${round}`;
      await subject.bed.stopAgent(side);
      const ready = subject.pods.until(name, isReady);
      await subject.create(idlePod(name, side));
      const started = subject.bed.startAgent(side, { wait: false });
      samples[side].push(await timed(() => Promise.all([started, ready]).then(() => undefined)));
      const gone = subject.pods.until(name, (pod) => pod === undefined);
      await Promise.all([subject.remove(name), gone]);
    }
  }
  return samples;
}
