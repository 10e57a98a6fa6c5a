import { cloudReachable, edgeNodeDefinition } from '@selvedge/api';
import { type ClusterClient, type TestSite, createTestSiteOf } from '@selvedge/installer/testing';
import { SelvedgeError, createLimiter, systemClock } from '@selvedge/kit';
import { type KubeClient, resources, strategicMergePatch } from '@selvedge/kube';
import type { Pod } from '@selvedge/kube/types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { edgeNodeResource } from '@selvedge/unit-controller';
import type { PrivateControlPlane } from '../bed/control-plane/private-control-plane.ts';
import { waitFor } from '../bed/wait.ts';
import { type TestClient, connect, startControlPlane } from './kube-world.ts';
import { documents } from './selvedge-documents.ts';

/** The engine of convert and revert with a real API server, a machine that is a folder, and what else writes there played. */

const signal = new AbortController().signal;
const name = 'till-1';
const namespace = 'kube-system';
const leaseNamespace = 'kube-node-lease';
let controlPlane: PrivateControlPlane;
let admin: TestClient;
const client = (): KubeClient => admin.client;

const now = (): string => new Date().toISOString();

/** A kube-proxy as a DaemonSet makes it, and as a kubelet reports it. */
async function makeProxy(): Promise<void> {
  const labels = { 'k8s-app': 'kube-proxy' };
  const containers = [{ name: 'kube-proxy', image: 'kube-proxy' }];
  const metadata = { generateName: 'kube-proxy-', namespace, labels };
  const spec = { nodeName: name, containers, automountServiceAccountToken: false };
  const made = await client().create(resources.pods, { metadata, spec }, { signal });
  const at = { namespace, name: made.metadata.name ?? '' };
  const state = { running: { startedAt: now() } };
  const container = { name: 'kube-proxy', image: '', imageID: '', ready: true, restartCount: 0, state };
  const conditions = [{ type: 'Ready', status: 'True' }];
  const patch = strategicMergePatch({
    status: { phase: 'Running', conditions, containerStatuses: [container] },
  });
  await client().patch(resources.pods, at, { subresource: 'status', patch, fieldManager: 'kubelet', signal });
}

async function proxies(): Promise<readonly Pod[]> {
  return (await client().listAll(resources.pods, { namespace, signal })).items;
}

/** Pods that shall go do, and there is one. */
async function playDaemonSet(): Promise<void> {
  for (const { metadata } of await proxies()) {
    if (metadata.deletionTimestamp === undefined) continue;
    const at = { namespace, name: metadata.name ?? '' };
    await client().delete(resources.pods, at, { gracePeriodSeconds: 0, signal });
  }
  if ((await proxies()).length === 0) await makeProxy();
}

async function playKubelet(isConverted: boolean): Promise<void> {
  const time = now();
  const said = [{ type: 'Ready', status: 'True', lastHeartbeatTime: time }];
  const hub = isConverted ? [{ type: cloudReachable, status: 'True' }] : [];
  // Nobody listens there: logs cannot be read.
  const endpoint = {
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
    daemonEndpoints: { kubeletEndpoint: { Port: 9 } },
  };
  const patch = strategicMergePatch({ status: { conditions: [...said, ...hub], ...endpoint } });
  await client().patch(
    resources.nodes,
    { name },
    { subresource: 'status', patch, fieldManager: 'kubelet', signal },
  );
  const renewTime = time.replace('Z', '000Z');
  const lease = strategicMergePatch({ spec: { renewTime } });
  await client().patch(
    resources.leases,
    { namespace: leaseNamespace, name },
    { patch: lease, fieldManager: 'kubelet', signal },
  );
}

async function playCloudManager(): Promise<void> {
  const there = await client().listAll(edgeNodeResource, { signal });
  if (there.items.length > 0) return;
  const session = {
    server: 'cloud-1',
    id: '1',
    carrier: 'tls',
    direction: 'reverse',
    state: 'live',
    since: now(),
    version: 1,
    remote: '203.0.113.7:50412',
  } as const;
  const made = await client().create(edgeNodeResource, { metadata: { name }, spec: {} }, { signal });
  await client().replace(
    edgeNodeResource,
    { ...made, status: { sessions: [session] } },
    { subresource: 'status', signal },
  );
}

/** What kubelet, cloud-manager and the DaemonSet's controller do; they wait for an API server that is not whole yet. */
async function play(isConverted: boolean): Promise<void> {
  try {
    await playKubelet(isConverted);
    if (isConverted) await playCloudManager();
    await playDaemonSet();
  } catch (cause) {
    throw new SelvedgeError('the others wait', { code: 'Unavailable', cause });
  }
}

/** There is one of each. */
const stage = createLimiter({ capacity: 1 });

/** The API server, in which the others have done what they do before each look at the Node. */
function played(isConverted: () => Promise<boolean>): ClusterClient {
  const real = client();
  return {
    async get(resource, at, options) {
      if (resource.kind === 'Node') await stage.run(signal, async () => play(await isConverted()));
      return await real.get(resource, at, options);
    },
    listAll: (resource, options) => real.listAll(resource, options),
    patch: (resource, at, options) => real.patch(resource, at, options),
    delete: (resource, at, options) => real.delete(resource, at, options),
    raw: (call) => real.raw(call),
  };
}

const createSite = (): Promise<TestSite<ClusterClient>> =>
  createTestSiteOf({ clusterOf: played, mode: 'deployment' });

beforeAll(async () => {
  controlPlane = await startControlPlane();
  admin = await connect(controlPlane.kubeconfig);
  await client().create(resources.customResourceDefinitions, edgeNodeDefinition as never, { signal });
  await waitFor({ what: 'EdgeNodes' }, systemClock, async () => {
    await client().listAll(edgeNodeResource, { signal });
    return true;
  });
  await client().create(resources.nodes, { metadata: { name } }, { signal });
  await waitFor({ what: 'the namespace of leases' }, systemClock, async () => {
    const metadata = { namespace: leaseNamespace, name };
    await client().create(resources.leases, { metadata, spec: { holderIdentity: name } }, { signal });
    return true;
  });
  await waitFor({ what: 'the namespace of the system' }, systemClock, async () => {
    await makeProxy();
    return true;
  });
  await playKubelet(false);
});
afterAll(async () => {
  await admin[Symbol.asyncDispose]();
  await controlPlane.stop();
});

const conditions = async (): Promise<readonly string[]> =>
  ((await client().get(resources.nodes, { name }, { signal })).status?.conditions ?? []).map(
    ({ type }) => type,
  );

/** The engines give what stands below it. */
const head = { apiVersion: true, kind: true } as const;

describe('with a real API server', () => {
  test('a node is converted and taken back, and nothing of ours is left in either', async () => {
    await using site = await createSite();
    const before = await site.disk.look();
    const [first] = await proxies();
    const result = await site.convert();
    expect(result).toMatchObject({ outcome: 'done', nodes: [{ node: name, outcome: 'converted' }] });
    documents.ConvertResult.omit(head).parse(result);
    expect(await conditions()).toContain(cloudReachable);
    const [second] = await proxies();
    expect(second?.metadata.uid).not.toBe(first?.metadata.uid);
    expect(await site.convert()).toMatchObject({ outcome: 'unchanged' });

    const back = await site.revert();
    expect(back).toMatchObject({ outcome: 'done', nodes: [{ outcome: 'reverted', verified: true }] });
    documents.RevertResult.omit(head).parse(back);
    expect(await conditions()).toEqual(['Ready']);
    expect((await client().listAll(edgeNodeResource, { signal })).items).toEqual([]);
    expect((await proxies())[0]?.metadata.uid).not.toBe(second?.metadata.uid);
    expect(await site.disk.look()).toEqual(before);
    expect(await site.revert()).toMatchObject({ outcome: 'unchanged' });
  });

  test('an API server that goes away meanwhile is waited for, on the way forth and back', async () => {
    await using site = await createSite();
    const before = await site.disk.look();
    await controlPlane.stopApiServer('kill');
    await expect(site.convert()).rejects.toMatchObject({ code: 'Unavailable' });
    await controlPlane.startApiServer(signal);
    const converting = site.convert();
    await waitFor({ what: 'its kubelet' }, systemClock, async () =>
      (await site.isConverted()) ? true : undefined,
    );
    await controlPlane.stopApiServer('kill');
    await controlPlane.startApiServer(signal);
    expect(await converting).toMatchObject({ outcome: 'done', nodes: [{ outcome: 'converted' }] });
    await site.revert();
    expect(await site.disk.look()).toEqual(before);
  });
});
