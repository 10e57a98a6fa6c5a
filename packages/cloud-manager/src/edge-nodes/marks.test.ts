import { SelvedgeError, createMetricsRegistry, silentLogger } from '@selvedge/kit';
import { createManualClock, seededRandom } from '@selvedge/kit/testing';
import { createIndexedStore, createKubeMetrics } from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import { expect, test } from 'vitest';
import { createEdgeMarks, needsMark } from './marks.ts';

const lite = { 'node.selvedge.io/version': '1.0.0' };
const marked = { 'selvedge.node-restriction.kubernetes.io/edge': 'true' };

test.each([
  ['a lite node', lite, true],
  ['one that has it', { ...lite, ...marked }, false],
  ['one that was marked and takes back what it is', marked, false],
  ['a node with a kubelet', {}, false],
])('whether %s is to be marked', (_what, labels, expected) => {
  expect(needsMark({ metadata: { labels } })).toBe(expected);
});

test('lite nodes are marked once, those that come later and those that were there, whatever becomes of others', async () => {
  const { signal } = new AbortController();
  const [clock, metrics] = [createManualClock(), createMetricsRegistry()];
  const nodes = createIndexedStore<Node>();
  let version = 0;
  const put = (name: string, own: Readonly<Record<string, string>>): void => {
    version += 1;
    const metadata = { name, uid: name, resourceVersion: `${version}`, labels: own };
    nodes.apply([{ type: 'MODIFIED', object: { metadata } }], `${version}`);
  };
  const patched: (readonly [string, unknown])[] = [];
  const client = {
    patch: async (_resource: unknown, { name }: { readonly name: string }, { patch }: { patch: unknown }) => {
      patched.push([name, patch]);
      if (name === 'gone') throw new SelvedgeError('there is none', { code: 'NotFound' });
      put(name, { ...lite, ...marked });
    },
  };
  put('gone', lite);
  put('there', lite);
  put('cloud', {});
  const marks = createEdgeMarks({
    client: client as never,
    nodes,
    clock,
    random: seededRandom(1),
    log: silentLogger,
    kubeMetrics: createKubeMetrics(metrics),
  });
  await marks.start(signal);
  put('late', lite);
  await expect.poll(() => patched.map(([name]) => name).toSorted()).toEqual(['gone', 'late', 'there']);
  expect(patched).toContainEqual([
    'late',
    expect.objectContaining({ body: { metadata: { uid: 'late', labels: marked } } }),
  ]);
  await marks.stop();
});
