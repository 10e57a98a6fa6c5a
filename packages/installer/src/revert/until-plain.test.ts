import { labels } from '@selvedge/api';
import { SelvedgeError, systemClock } from '@selvedge/kit';
import type { KubeObject, ObjectRef, Resource } from '@selvedge/kube';
import { expect, it } from 'vitest';
import type { ClusterClient } from '../cluster/index.ts';
import { untilPlain } from './take-back.ts';

const { signal } = new AbortController();

it('a node that was never begun loses the mark that keeps cloud-manager off it', async () => {
  let isMarked = true;
  const node = (): KubeObject & { readonly status: unknown } => ({
    metadata: { name: 'till-1', uid: 'u1', labels: isMarked ? { [labels.nodeEdge]: 'true' } : {} },
    status: { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: '2026-01-01T00:00:00Z' }] },
  });
  const none = (): never => {
    throw new SelvedgeError('there is none', { code: 'NotFound' });
  };
  const cluster = {
    get: async ({ plural }: Resource<KubeObject>) => (plural === 'nodes' ? node() : none()),
    delete: async () => none(),
    patch: async (_resource: unknown, _ref: ObjectRef, { patch }: { readonly patch: unknown }) => {
      expect(JSON.stringify(patch)).toContain(`"${labels.nodeEdge}":null`);
      isMarked = false;
      return node();
    },
  } as unknown as ClusterClient;
  const seeing = { node: 'till-1', startedMs: undefined, renewsProxy: false, timeoutMs: 600_000 };
  await untilPlain(seeing, { cluster, clock: systemClock, onNote: () => undefined }, signal);
  expect(isMarked).toBe(false);
});
