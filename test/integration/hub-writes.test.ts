import { systemClock } from '@selvedge/kit';
import { type KubeObject, mergePatch, resources, strategicMergePatch } from '@selvedge/kube';
import type { Event, Lease, Node, Pod, PodCondition, TokenRequest } from '@selvedge/kube/types';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../bed/wait.ts';
import { type Audit, createAudit } from './hub-audit.ts';
import { type HubCluster, account, namespace, nodeName, startHubCluster } from './hub-cluster.ts';
import { type HubSite, agents, createHubSite } from './hub-writes-world.ts';

const { signal } = new AbortController();
let audit: Audit;
let cluster: HubCluster;
let site: HubSite;
let count = 0;

beforeAll(async () => {
  audit = await createAudit();
  cluster = await startHubCluster({ apiServerFlags: audit.flags });
});

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
  await audit?.[Symbol.asyncDispose]();
});

beforeEach(async () => {
  site = await createHubSite(cluster);
  await site.start();
  await site.heal();
  await site.run.source.whenSynced(AbortSignal.timeout(30_000));
});

afterEach(() => site[Symbol.asyncDispose]());

const eventually = <T>(what: string, probe: () => Promise<T | undefined>): Promise<T> =>
  waitFor({ what, everyMs: 50 }, systemClock, probe);

const at = (name: string): { readonly name: string; readonly namespace: string } => ({ name, namespace });

/** A pod of this node that the replica shows. */
async function createPod(): Promise<Pod> {
  count += 1;
  const pod = await cluster.createPod(`pod-${count}`, nodeName);
  const { name = '' } = pod.metadata;
  await eventually(`${name} in the replica`, async () => site.run.replica.reader('v1/pods').get(at(name)));
  return pod;
}

const nameOf = ({ metadata: { name = '' } }: KubeObject): string => name;
const ready = (status: string, message: string): PodCondition => ({ type: 'Ready', status, message });

/** As the kubelet's status manager does. */
const setStatus = (pod: Pod, status: object): Promise<Pod> =>
  site.run.kubelet.patch(resources.pods, at(nameOf(pod)), {
    patch: strategicMergePatch({ metadata: { uid: pod.metadata.uid }, status }),
    subresource: 'status',
    signal,
  });

const upstreamPod = (pod: Pod): Promise<Pod> =>
  cluster.admin.get(resources.pods, at(nameOf(pod)), { signal });

const nothingWaits = (): Promise<true> =>
  eventually('all replayed', async () => (site.run.replica.overlays().length === 0 ? true : undefined));

async function patchesOf(pod: Pod): Promise<number> {
  const asked = await audit.requests(agents.hub);
  return asked.filter(
    ({ verb, requestURI }) => verb === 'patch' && requestURI.includes(`/${nameOf(pod)}/status`),
  ).length;
}

async function nodeEvents(about: string): Promise<readonly Event[]> {
  const { items } = await cluster.admin.list(resources.events, { signal });
  return items.filter(
    ({ reason, message }) => reason === 'StatusGivenUp' && message?.includes(about) === true,
  );
}

describe('statuses that changed while the cloud was away', () => {
  it('arrive as the last state of each, exactly once', async () => {
    const pods = [await createPod(), await createPod(), await createPod()];
    await site.cut();
    for (let round = 1; round <= 5; round += 1) {
      for (const pod of pods)
        await setStatus(pod, { phase: 'Running', conditions: [ready('True', `r${round}`)] });
    }
    for (const pod of pods) expect((await upstreamPod(pod)).status?.phase).toBe('Pending');
    await site.heal();
    await nothingWaits();
    for (const pod of pods) {
      const { status } = await upstreamPod(pod);
      expect(status).toMatchObject({ phase: 'Running', conditions: [{ message: 'r5' }] });
      expect(await patchesOf(pod)).toBe(1);
    }
    await site.cut();
    await site.heal();
    await setStatus(pods[0] ?? (await createPod()), { phase: 'Running' });
    for (const pod of pods) expect(await patchesOf(pod)).toBe(1);
  });

  it('survive a restart of the hub, also while the cloud is away', async () => {
    const pod = await createPod();
    await site.run.kubelet.get(resources.pods, at(nameOf(pod)), { signal });
    await site.cut();
    const shown = await setStatus(pod, { phase: 'Running' });
    await site.stop();
    await site.start();
    const read = await site.run.kubelet.get(resources.pods, at(nameOf(pod)), {
      resourceVersion: '0',
      signal,
    });
    expect(read).toEqual(shown);
    await site.heal();
    await nothingWaits();
    expect((await upstreamPod(pod)).status?.phase).toBe('Running');
  });

  it('are given up with an Event when the pod was deleted or is another one', async () => {
    const [gone, replaced] = [await createPod(), await createPod()];
    await site.cut();
    for (const pod of [gone, replaced]) {
      await setStatus(pod, { phase: 'Running' });
      await cluster.admin.delete(resources.pods, at(nameOf(pod)), { gracePeriodSeconds: 0, signal });
    }
    const next = await cluster.createPod(nameOf(replaced), nodeName);
    await site.heal();
    await nothingWaits();
    expect((await upstreamPod(next)).status?.phase).toBe('Pending');
    expect(await patchesOf(gone)).toBe(0);
    const why = {
      [nameOf(gone)]: 'was deleted meanwhile',
      [nameOf(replaced)]: 'another object has its name',
    };
    for (const [name, text] of Object.entries(why)) {
      const [event] = await eventually(`the Event about ${name}`, async () => {
        const events = await nodeEvents(name);
        return events.length === 0 ? undefined : events;
      });
      expect(event).toMatchObject({ involvedObject: { kind: 'Node', name: nodeName }, type: 'Warning' });
      expect(event?.message).toContain(text);
    }
    expect(site.run.log.lines.filter(({ text }) => text === 'a local change was given up')).toHaveLength(2);
  });

  it('leave a condition alone that somebody else owns, and what he changed meanwhile', async () => {
    const pod = await createPod();
    await site.cut();
    await setStatus(pod, { phase: 'Running', conditions: [ready('True', 'mine')] });
    const gate = { type: 'example.com/gate', status: 'True' };
    await cluster.admin.patch(resources.pods, at(nameOf(pod)), {
      patch: strategicMergePatch({ status: { conditions: [gate] } }),
      subresource: 'status',
      signal,
    });
    await site.heal();
    await nothingWaits();
    const { status } = await upstreamPod(pod);
    expect(status?.conditions).toEqual(
      expect.arrayContaining([expect.objectContaining(gate), expect.objectContaining(ready('True', 'mine'))]),
    );
  });

  it('of a Node that was deleted meanwhile is given up', async () => {
    await site.cut();
    const patch = strategicMergePatch({
      status: { conditions: [{ type: 'Ready', status: 'True', reason: 'a' }] },
    });
    const options = { patch, subresource: 'status', signal };
    await site.run.kubelet.patch(resources.nodes, { name: nodeName }, options);
    await cluster.admin.delete(resources.nodes, { name: nodeName }, { signal });
    await site.heal();
    await nothingWaits();
    await cluster.admin.create(resources.nodes, { metadata: { name: nodeName } }, { signal });
    expect(site.run.metrics.render()).toContain('selvedge_hub_replays_total{outcome="gone"} 1');
  });

  it('are not overtaken by what is said right after', async () => {
    const pod = await createPod();
    await site.cut();
    await setStatus(pod, { phase: 'Running', conditions: [ready('False', 'first')] });
    const healed = site.heal();
    let last = '';
    for (let i = 0; i < 40; i += 1) {
      last = `after ${i}`;
      await setStatus(pod, { conditions: [ready('True', last)] });
    }
    await healed;
    await nothingWaits();
    expect((await upstreamPod(pod)).status).toMatchObject({
      phase: 'Running',
      conditions: [{ message: last }],
    });
    await eventually('the last state in the replica', async () => {
      const shown = site.run.replica.reader('v1/pods').get(at(nameOf(pod)));
      return shown?.json.includes(`"${last}"`) === true ? true : undefined;
    });
  });
});

it('a heartbeat of a kubelet that started while the cloud was not reached goes up as soon as it is', async () => {
  const beat = (lastHeartbeatTime: string): Promise<Node> =>
    site.run.kubelet.patch(
      resources.nodes,
      { name: nodeName },
      {
        patch: strategicMergePatch({
          status: { conditions: [{ type: 'Ready', status: 'True', reason: 'a', lastHeartbeatTime }] },
        }),
        subresource: 'status',
        signal,
      },
    );
  const heard = async (): Promise<string | undefined> => {
    const node = await cluster.admin.get(resources.nodes, { name: nodeName }, { signal });
    return node.status?.conditions?.find(({ type }) => type === 'Ready')?.lastHeartbeatTime;
  };
  await beat('2026-01-01T00:00:00Z');
  await site.stop();
  site.link.refuse();
  await site.start();
  await site.cut();
  await beat('2026-01-01T00:00:30Z');
  expect(await heard()).toBe('2026-01-01T00:00:00Z');
  await site.heal();
  await nothingWaits();
  expect(await heard()).toBe('2026-01-01T00:00:30Z');
  await beat('2026-01-01T00:05:30Z');
  expect(await heard()).toBe('2026-01-01T00:00:30Z');
});

describe('the node Lease', () => {
  it('is renewed upstream once per interval, and for no kubelet that is silent', async () => {
    const where = { namespace: 'kube-node-lease', name: nodeName };
    const spec = { holderIdentity: nodeName, leaseDurationSeconds: 40 };
    const made: Lease = { metadata: where, spec: { ...spec, renewTime: '2026-01-01T00:00:00.000000Z' } };
    let lease = await site.run.kubelet.create(resources.leases, made, { signal });
    const renewTime = (i: number): string => `2026-01-01T00:00:${String(i).padStart(2, '0')}.000000Z`;
    for (let i = 1; i <= 30; i += 1) {
      const next = { ...lease, spec: { ...lease.spec, renewTime: renewTime(i) } };
      lease = await site.run.kubelet.replace(resources.leases, next, { signal });
    }
    const writes = async (): Promise<number> => {
      const all = [...(await audit.requests(agents.hub)), ...(await audit.requests(agents.kubelet))];
      const changes = new Set(['create', 'update', 'patch']);
      return all.filter(({ verb, requestURI }) => changes.has(verb) && requestURI.includes('/leases')).length;
    };
    expect(await writes()).toBe(1);
    await site.cut();
    lease = await site.run.kubelet.replace(
      resources.leases,
      { ...lease, spec: { ...lease.spec, renewTime: renewTime(31) } },
      { signal },
    );
    expect((await site.run.kubelet.get(resources.leases, where, { signal })).spec?.renewTime).toBe(
      renewTime(31),
    );
    await cluster.admin.delete(resources.leases, where, { signal });
  });
});

describe('what else is answered while the cloud is away', () => {
  it('Events arrive later, with their times', async () => {
    const event: Event = {
      metadata: { name: 'while-away', namespace },
      involvedObject: { kind: 'Pod', namespace, name: 'x' },
      reason: 'Started',
      firstTimestamp: '2026-01-02T03:04:05Z',
      lastTimestamp: '2026-01-02T03:04:05Z',
      count: 1,
    };
    await site.cut();
    await site.run.kubelet.create(resources.events, event, { signal });
    const patch = mergePatch({ count: 3, lastTimestamp: '2026-01-02T03:05:00Z' });
    await site.run.kubelet.patch(resources.events, at('while-away'), { patch, signal });
    await site.heal();
    const arrived = await eventually('the Event', async () =>
      cluster.admin.get(resources.events, at('while-away'), { signal }).catch(() => undefined),
    );
    expect(arrived).toMatchObject({ count: 3, firstTimestamp: event.firstTimestamp });
    expect(arrived.lastTimestamp).toBe('2026-01-02T03:05:00Z');
  });

  it('the last token of a pod is given again', async () => {
    const serviceAccountToken = { path: 'token', audience: 'vault' };
    const volumes = [{ name: 'token', projected: { sources: [{ serviceAccountToken }] } }];
    const spec = { nodeName, serviceAccountName: account, containers: [{ name: 'a', image: 'a' }], volumes };
    const pod = await cluster.admin.create(resources.pods, { metadata: at('with-token'), spec }, { signal });
    const { name = '', uid = '' } = pod.metadata;
    const body: TokenRequest = {
      metadata: {},
      spec: { audiences: ['vault'], boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid } },
    };
    const to = { namespace, name: account, subresource: 'token' };
    const ask = (): Promise<TokenRequest> =>
      site.run.kubelet.createSubresource(resources.serviceAccounts, to, { body, signal });
    const online = await ask();
    await site.cut();
    expect(await ask()).toEqual(online);
    await site.stop();
    await site.start();
    expect((await ask()).status?.token).toBe(online.status?.token);
    const other = { ...body, spec: { ...body.spec, audiences: ['other'] } };
    await expect(
      site.run.kubelet.createSubresource(resources.serviceAccounts, to, { body: other, signal }),
    ).rejects.toMatchObject({ code: 'Unavailable' });
  });

  it('a decision that was made before is given again', async () => {
    const review = (
      user: string,
    ): Promise<{ readonly status?: { readonly allowed?: boolean } | undefined }> =>
      site.run.kubelet.create(
        resources.subjectAccessReviews,
        { metadata: {}, spec: { user, resourceAttributes: { verb: 'get', resource: 'nodes' } } },
        { signal },
      );
    expect((await review(`system:node:${nodeName}`)).status?.allowed).toBe(false);
    await site.cut();
    expect((await review(`system:node:${nodeName}`)).status?.allowed).toBe(false);
    await expect(review('somebody')).rejects.toMatchObject({ code: 'Unavailable' });
  });

  it('what is there cannot be made, and nothing can be deleted', async () => {
    const pod = await createPod();
    await site.cut();
    const node = { metadata: { name: nodeName } };
    await expect(site.run.kubelet.create(resources.nodes, node, { signal })).rejects.toMatchObject({
      code: 'AlreadyExists',
    });
    const now = { gracePeriodSeconds: 0, signal };
    await expect(site.run.kubelet.delete(resources.pods, at(nameOf(pod)), now)).rejects.toMatchObject({
      code: 'Unavailable',
      message: expect.stringContaining(`node ${nodeName} is autonomous since`),
    });
    await site.heal();
    await site.run.kubelet.delete(resources.pods, at(nameOf(pod)), now);
    await expect(upstreamPod(pod)).rejects.toMatchObject({ code: 'NotFound' });
  });
});
