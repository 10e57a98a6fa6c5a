import { resources } from '@selvedge/kube';
import type { Pod } from '@selvedge/kube/types';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { condition, containerStatus, isReady, pod, runOf, running } from './support/pods.ts';
import { useSite } from './support/site.ts';

/** What happens here to a node is rude, so it is a node of this file's own. */
const node = 'lite-rude';
const site = useSite();

beforeAll(() => site.bed.addNode({ name: node, agent: 'lite' }));
afterAll(() => site.bed.removeNode(node));

async function nodeReady(): Promise<string | undefined> {
  const { status } = await site.client.get(resources.nodes, { name: node }, { signal: site.signal });
  return status?.conditions?.find((one) => one.type === 'Ready')?.status;
}

async function steady(name: string): Promise<Pod> {
  await site.create(resources.pods, pod({ name, node, containers: [running()] }));
  return site.pod(name, { what: 'it is ready' }, isReady);
}

describe('a restart of edge-lite', () => {
  it('leaves running containers alone, polite or not', async () => {
    const before = runOf(await steady('steady'));
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await site.bed.stopAgent(node, signal);
      await site.bed.startAgent(node);
    }
    await site.create(resources.pods, pod({ name: 'after', node, containers: [running()] }));
    await site.pod('after', { what: 'the node works' }, isReady);
    expect(runOf(await site.get(resources.pods, 'steady'))).toEqual(before);
  });

  it('ends what was deleted while it was away', async () => {
    await site.bed.stopAgent(node, 'SIGKILL');
    const { namespace, signal } = site;
    await site.client.delete(resources.pods, { namespace, name: 'after' }, { signal });
    await site.bed.startAgent(node);
    await site.until(
      { what: 'the pod is gone' },
      async () => (await site.find(resources.pods, 'after')) === undefined,
    );
  });
});

describe('with the site cut off', () => {
  it('keeps its containers over a restart and restarts a crashed one from disk', async () => {
    const before = await site.get(resources.pods, 'steady');
    await site.bed.cut('site-1', 'blackhole');
    try {
      await site.bed.stopAgent(node, 'SIGKILL');
      await site.bed.killContainer(node, { pod: 'steady', container: 'main' });
      await site.bed.startAgent(node, { wait: false });
      await site.until({ what: 'the container runs again' }, async () => {
        const [container] = await site.bed.containers(node, { pod: 'steady' });
        return container?.state === 'running' && container.attempt === 1;
      });
    } finally {
      await site.bed.heal('site-1');
    }
    const caughtUp = await site.pod(
      'steady',
      { what: 'its status has caught up' },
      (one) => containerStatus(one)?.restartCount === 1 && isReady(one),
    );
    expect(caughtUp.metadata.uid).toBe(before.metadata.uid);
    expect(caughtUp.status?.podIP).toBe(before.status?.podIP);
  });
});

describe('a restart of containerd', () => {
  it('makes the node unready, and ready again without losing a container', async () => {
    const before = runOf(await site.get(resources.pods, 'steady'));
    await site.bed.stopRuntime(node);
    await site.until({ what: 'the node is not ready' }, async () => (await nodeReady()) === 'False');
    await site.bed.startRuntime(node);
    await site.until({ what: 'the node is ready again' }, async () => (await nodeReady()) === 'True');
    await site.create(resources.pods, pod({ name: 'again', node, containers: [running()] }));
    const next = await site.pod('again', { what: 'the node works' }, isReady);
    expect(condition(next, 'PodReadyToStartContainers')).toBe('True');
    expect(runOf(await site.get(resources.pods, 'steady'))).toEqual(before);
  });
});
