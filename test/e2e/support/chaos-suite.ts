import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resources } from '@selvedge/kube';
import type { NodeOptions } from '@selvedge/bed';
import { type Aftermath, type ChaosOptions, clear, wreak } from './chaos.ts';
import { containerStatus } from './pods.ts';
import { useSite } from './site.ts';

export interface ChaosSuite extends Pick<ChaosOptions, 'seed' | 'rounds'> {
  readonly node: string;
  readonly containerd: NonNullable<NodeOptions['containerd']>;
  /** How long all of it may take. */
  readonly timeoutMs: number;
}

/** What must hold after any number of kills at any moments. */
export function describeChaos({ node, containerd, timeoutMs, ...plan }: ChaosSuite): void {
  describe(`edge-lite that is killed at random moments (containerd ${containerd}, seed ${plan.seed})`, () => {
    const site = useSite();
    const options: ChaosOptions = {
      ...plan,
      node,
      bystanders: ['bystander-1', 'bystander-2'],
      restartsRuntime: containerd === '2.4',
    };
    let after: Aftermath;

    beforeAll(() => site.bed.addNode({ name: node, agent: 'lite', containerd }));
    afterAll(() => site.bed.removeNode(node));

    it(
      'still makes every pod ready and ends every deleted one',
      async () => {
        after = await wreak(site, options);
      },
      timeoutMs,
    );

    it('runs each container once, and leaves nothing of the pods that are gone', () => {
      expect(after.traces).toEqual(after.wanted);
    });

    it('has restarted no container that ran', () => {
      const ends = after.pods.flatMap((one) => containerStatus(one)?.lastState?.terminated ?? []);
      expect(ends.filter(({ reason }) => reason !== 'StartError')).toEqual([]);
      const restarts = after.pods.map((one) => [one.metadata.name, containerStatus(one)?.restartCount]);
      expect(restarts).toEqual(
        expect.arrayContaining([
          ['bystander-1', 0],
          ['bystander-2', 0],
        ]),
      );
    });

    it('leaves nothing at all once the last pod is deleted', async () => {
      const { traces, wanted } = await clear(site, options, after.pods);
      expect(traces).toEqual(wanted);
      const { namespace, signal } = site;
      expect((await site.client.listAll(resources.pods, { namespace, signal })).items).toEqual([]);
    });
  });
}
