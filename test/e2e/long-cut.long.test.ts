import type { Pod } from '@selvedge/kube/types';
import { resources } from '@selvedge/kube';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isReady, pod, runOf, running } from './support/pods.ts';
import { useSite } from './support/site.ts';

const node = 'lite-long-cut';
const site = useSite();

beforeAll(() => site.bed.addNode({ name: node, agent: 'lite' }));
afterAll(() => site.bed.removeNode(node));

async function steady(name: string): Promise<Pod> {
  await site.create(resources.pods, pod({ name, node, containers: [running()] }));
  return site.pod(name, { what: 'it is ready' }, isReady);
}

describe('with the site cut off for longer than the cluster waits for a node', () => {
  it('is ready again after the heal, also over a restart in between', async () => {
    const before = runOf(await steady('written-off'));
    await site.bed.cut('site-1', 'blackhole');
    try {
      const unready = { what: 'the cluster takes it for unready', timeoutMs: 120_000 };
      await site.pod('written-off', unready, (one) => !isReady(one));
      await site.bed.stopAgent(node, 'SIGKILL');
      await site.bed.startAgent(node, { wait: false });
    } finally {
      await site.bed.heal('site-1');
    }
    const after = await site.pod('written-off', { what: 'it is ready again' }, isReady);
    expect(runOf(after)).toEqual(before);
  });
});
