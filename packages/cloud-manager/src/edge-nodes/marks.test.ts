import {
  type ErrorCode,
  SelvedgeError,
  type Service,
  createMetricsRegistry,
  silentLogger,
} from '@selvedge/kit';
import { type ManualClock, createManualClock, seededRandom } from '@selvedge/kit/testing';
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

interface World {
  readonly clock: ManualClock;
  readonly marks: Service;
  /** The nodes that were to be marked, each time that it was tried, and with what. */
  readonly patched: (readonly [node: string, patch: unknown])[];
  readonly put: (name: string, own: Readonly<Record<string, string>>) => void;
}

/** `refusals`: what the API server says of nodes, once each; else they get their mark. */
function world(refusals: Readonly<Record<string, ErrorCode>> = {}): World {
  const clock = createManualClock();
  const nodes = createIndexedStore<Node>();
  const left = new Map(Object.entries(refusals));
  const patched: (readonly [string, unknown])[] = [];
  let version = 0;
  const put = (name: string, own: Readonly<Record<string, string>>): void => {
    version += 1;
    const metadata = { name, uid: name, resourceVersion: `${version}`, labels: own };
    nodes.apply([{ type: 'MODIFIED', object: { metadata } }], `${version}`);
  };
  const client = {
    patch: async (_resource: unknown, { name }: { readonly name: string }, { patch }: { patch: unknown }) => {
      patched.push([name, patch]);
      const code = left.get(name);
      left.delete(name);
      if (code !== undefined) throw new SelvedgeError('it says no', { code });
      put(name, { ...lite, ...marked });
    },
  };
  const marks = createEdgeMarks({
    client: client as never,
    nodes,
    clock,
    random: seededRandom(1),
    log: silentLogger,
    kubeMetrics: createKubeMetrics(createMetricsRegistry()),
  });
  return { clock, marks, patched, put };
}

test('lite nodes are marked once, those that come later and those that were there', async () => {
  const { marks, patched, put, clock } = world();
  put('there', lite);
  put('cloud', {});
  await marks.start(new AbortController().signal);
  put('late', lite);
  await clock.advance(10_000);
  expect(patched.map(([name]) => name).toSorted()).toEqual(['late', 'there']);
  expect(patched).toContainEqual([
    'late',
    expect.objectContaining({ body: { metadata: { uid: 'late', labels: marked } } }),
  ]);
  await marks.stop();
});

test.each([
  ['is gone', 'NotFound', ['shop']],
  ['is another one by now', 'Conflict', ['shop']],
  ['could not be reached', 'Unavailable', ['shop', 'shop']],
] as const)('a node that %s is tried as often as that helps', async (_what, code, expected) => {
  const { marks, patched, put, clock } = world({ shop: code });
  put('shop', lite);
  await marks.start(new AbortController().signal);
  await clock.advance(10_000);
  expect(patched.map(([name]) => name)).toEqual(expected);
  await marks.stop();
});
