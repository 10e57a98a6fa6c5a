import { createMetricsRegistry, systemClock } from '@selvedge/kit';
import { recordingLogger } from '@selvedge/kit/testing';
import { type KubeClient, resources } from '@selvedge/kube';
import type { Lease } from '@selvedge/kube/types';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodeBody } from '../../packages/edge-lite/src/hub/bodies/index.ts';
import { jsonResponse } from '../../packages/edge-lite/src/hub/forward/index.ts';
import { hubRequest, jsonOf } from '../../packages/edge-lite/src/hub/forward/testing.ts';
import { type NodeLease, createNodeLease } from '../../packages/edge-lite/src/hub/leases/index.ts';
import { applyPatchBody } from '../../packages/edge-lite/src/hub/merge/index.ts';
import type { PrivateControlPlane } from '../bed/control-plane/private-control-plane.ts';
import { waitFor } from '../bed/wait.ts';
import { connect, startControlPlane, type TestClient } from './kube-world.ts';

const { signal } = new AbortController();
const at = { namespace: 'kube-node-lease', name: 'edge-1' };
const path = `/apis/coordination.k8s.io/v1/namespaces/${at.namespace}/leases/${at.name}`;
const owners = [{ apiVersion: 'v1', kind: 'Node', name: 'edge-1', uid: 'n-1' }];
const renewTime = (second: number): string => `2026-01-01T00:00:0${second}.000000Z`;

let controlPlane: PrivateControlPlane;
let admin: TestClient;
beforeAll(async () => {
  controlPlane = await startControlPlane();
  admin = await connect(controlPlane.kubeconfig);
});
afterAll(async () => {
  await admin?.[Symbol.asyncDispose]();
  await controlPlane?.stop();
});

const upstreamLease = (): Promise<Lease> => admin.client.get(resources.leases, at, { signal });

/** The kubelet's Lease at a hub that renews ten times a second; `answers` has the bytes of each answer to that. */
function leaseOfHub(answers: number[]): NodeLease {
  const raw: KubeClient['raw'] = async (call) => {
    const answer = await admin.client.raw(call);
    answers.push(answer.body.length);
    return answer;
  };
  return createNodeLease(
    { nodeName: at.name, intervalMs: 100 },
    {
      upstream: {
        connectivity: { kind: 'online', sinceMs: 0, server: 'one' },
        onConnectivity: () => ({ [Symbol.dispose]: () => undefined }),
      },
      client: { raw },
      forward: async () => jsonResponse(200, await upstreamLease()),
      decodeBody,
      applyPatchBody,
      clock: systemClock,
      random: () => 0.5,
      log: recordingLogger(),
      metrics: createMetricsRegistry(),
    },
  );
}

it('the Lease of the node is renewed with small answers, and says all that the kubelet said', async () => {
  const spec = { holderIdentity: at.name, leaseDurationSeconds: 40, renewTime: renewTime(0) };
  await admin.client.create(resources.leases, { metadata: at, spec }, { signal });
  const answers: number[] = [];
  const lease = leaseOfHub(answers);
  await lease.start(signal);
  let held = await jsonOf<Lease & Record<string, unknown>>(await lease.handle(hubRequest('GET', path)));
  for (const second of [1, 2, 3]) {
    const metadata = { ...held.metadata, ownerReferences: owners };
    const body = { ...held, metadata, spec: { ...spec, renewTime: renewTime(second) } };
    held = await jsonOf(await lease.handle(hubRequest('PUT', path, { body })));
    await waitFor({ what: 'the renewal upstream', everyMs: 20 }, systemClock, async () =>
      (await upstreamLease()).spec?.renewTime === renewTime(second) ? true : undefined,
    );
  }
  await lease.stop();
  const { metadata, spec: told } = await upstreamLease();
  expect(told).toEqual({ ...spec, renewTime: renewTime(3) });
  expect(metadata.ownerReferences).toEqual(owners);
  expect(metadata.managedFields).toBeUndefined();
  expect(answers).toHaveLength(3);
  for (const bytes of answers) expect(bytes).toBeLessThan(250);
});
