import { createMetricsRegistry, silentLogger } from '@selvedge/kit';
import { createManualClock, seededRandom } from '@selvedge/kit/testing';
import { createIndexedStore, createKubeMetrics } from '@selvedge/kube';
import type { Lease, Node } from '@selvedge/kube/types';
import { expect, test } from 'vitest';
import type { EdgeNodeObject } from '../edge-nodes/index.ts';
import { createCleaner } from './cleaner.ts';
import { serverLease } from './server-lease.ts';

const { signal } = new AbortController();

const session = (server: string) =>
  ({
    server,
    id: '1',
    direction: 'reverse',
    state: 'live',
    carrier: 'tls',
    since: '2026-01-01T00:00:00Z',
    version: 1,
    remote: '203.0.113.7:50412',
  }) as const;

test('a term begins with patience for servers that are silent, and none for those without a Lease', async () => {
  const clock = createManualClock();
  const stored = { uid: 'u', resourceVersion: '1' };
  const edgeNodes = createIndexedStore<EdgeNodeObject>();
  const nodes = createIndexedStore<Node>();
  const serverLeases = createIndexedStore<Lease>();
  const shown = (name: string): EdgeNodeObject => ({
    metadata: { ...stored, name },
    status: { sessions: [session(name)], sessionCount: 1 },
  });
  edgeNodes.replace([shown('silent'), shown('gone')], '1');
  const lease = serverLease({ namespace: 'ns', server: 'silent', durationSeconds: 40 }, 0);
  serverLeases.replace([{ ...lease, metadata: { ...lease.metadata, ...stored } }], '1');
  const withdrawn: string[] = [];
  const cleaner = createCleaner(
    { patienceMs: 40_000 },
    {
      writer: {
        show: async ({ server }) => {
          withdrawn.push(server);
          return { metadata: {} };
        },
        count: async () => ({ metadata: {} }),
        delete: async () => undefined,
      },
      edgeNodes,
      nodes,
      serverLeases,
      isAlive: () => false,
      clock,
      random: seededRandom(1),
      log: silentLogger,
      kubeMetrics: createKubeMetrics(createMetricsRegistry()),
    },
  );
  await cleaner.start(signal);
  await clock.advance(39_000);
  expect(new Set(withdrawn)).toEqual(new Set(['gone']));
  await clock.advance(30_000);
  expect(new Set(withdrawn)).toEqual(new Set(['gone', 'silent']));
  await cleaner.stop();
});
