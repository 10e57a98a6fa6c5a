import { createMetricsRegistry } from '@selvedge/kit';
import { type ManualClock, createManualClock } from '@selvedge/kit/testing';
import type { KubeObject } from '@selvedge/kube';
import { type TemporaryStore, createTemporaryStore } from '../../store/testing.ts';
import { errorResponse, forbidden } from '../answers/index.ts';
import { decodeBody } from '../bodies/index.ts';
import { applyPatchBody } from '../merge/index.ts';
import { createTestReplica } from '../replica/testing.ts';
import type { Replica } from '../replica/types.ts';
import type { HubHandler, HubRequest } from '../request.ts';
import type { Connectivity } from '../upstream/types.ts';
import { Heartbeats } from './heartbeats.ts';
import type { RowsDeps } from './rows.ts';
import { createWrites } from './writes.ts';

export const nodeName = 'edge-1';
export const offline: Connectivity = { kind: 'offline', sinceMs: Date.UTC(2026, 0, 1), reason: 'refused' };
export const online: Connectivity = { kind: 'online', sinceMs: 0, server: 'one:6443' };

interface Whole extends KubeObject {
  readonly spec: object;
  readonly status: object;
}

export const node: Whole = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: nodeName, uid: 'n-1', resourceVersion: '5', labels: { a: 'b' } },
  spec: { podCIDR: '10.0.0.0/24' },
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
};
export const pod = (name: string, on: string): Whole => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'a', uid: `p-${name}`, resourceVersion: '6' },
  spec: { nodeName: on },
  status: { phase: 'Pending', qosClass: 'Burstable' },
});

export interface World {
  readonly replica: Replica;
  readonly forwarded: HubRequest[];
  readonly replays: number[];
  readonly clock: ManualClock;
  connectivity: Connectivity;
  forward: HubHandler;
  writes: HubHandler;
}

/** Who is called `may`, may. */
const access: RowsDeps['access'] = {
  authorize: async ({ username }) => ({ allowed: username === 'may', reason: '' }),
};
const eventRights: RowsDeps['eventRights'] = {
  async check({ caller: { user } }, about) {
    if (user.username !== 'may') throw forbidden(user, about, '');
  },
};

const stores: TemporaryStore[] = [];

/** For `afterEach`. */
export async function endWorlds(): Promise<void> {
  for (const store of stores.splice(0)) await store[Symbol.asyncDispose]();
}

/** Writes on a replica with a Node, its pod, and a pod of another. */
export async function world(
  initial: Connectivity = offline,
  limits: Parameters<typeof createTestReplica>[1] = {},
): Promise<World> {
  const store = await createTemporaryStore();
  stores.push(store);
  const replica = createTestReplica(store.store, limits);
  for (const [resource, objects] of [
    ['v1/nodes', [node]],
    ['v1/pods', [pod('own', nodeName), pod('other', 'edge-2')]],
    ['storage.k8s.io/v1/csinodes', [{ ...node, kind: 'CSINode', apiVersion: 'storage.k8s.io/v1' }]],
  ] as const) {
    const { id } = replica.addCoverage({ resource, namespace: '', labelSelector: '', fieldSelector: '' });
    const changes = objects.map((object) => ({ type: 'put' as const, object }));
    replica.apply(id, changes, '9');
  }
  const taken = { status: 201, headers: {}, body: Buffer.from('{"kind":"Event"}') };
  const recalled = { status: 201, headers: {}, body: Buffer.from('{"kind":"TokenRequest"}') };
  const here: World = {
    replica,
    forwarded: [],
    replays: [],
    clock: createManualClock(),
    connectivity: initial,
    forward: async () => ({ status: 200, headers: {}, body: Buffer.from('{"kind":"Forwarded"}') }),
    writes: async () => taken,
  };
  const raw = createWrites(
    { nodeName },
    {
      replica,
      decodeBody,
      applyPatchBody,
      forward: (request) => {
        here.forwarded.push(request);
        return here.forward(request);
      },
      upstream: {
        get connectivity() {
          return here.connectivity;
        },
      },
      lease: { owns: ({ path }) => path.endsWith('/leases/edge-1'), handle: async () => taken },
      access,
      eventRights,
      events: { take: () => taken },
      tokens: { heard: () => undefined, recall: () => recalled },
      reviews: { heard: () => undefined, recall: () => undefined },
      knows: (resource, { name }) => resource === 'v1/persistentvolumes' && name === 'read-before',
      replaySoon: () => void here.replays.push(1),
      metrics: createMetricsRegistry(),
      heartbeats: new Heartbeats({}, here),
    },
  );
  here.writes = (request) => raw(request).catch(errorResponse);
  return here;
}

export const nodePath = `/api/v1/nodes/${nodeName}`;
export const podPath = '/api/v1/namespaces/a/pods/own';
export const strategic = { 'content-type': 'application/strategic-merge-patch+json' };
export const merge = { 'content-type': 'application/merge-patch+json' };
