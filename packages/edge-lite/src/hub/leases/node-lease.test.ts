import { SelvedgeError, createMetricsRegistry, silentLogger } from '@selvedge/kit';
import { type ManualClock, createManualClock } from '@selvedge/kit/testing';
import type { KubeClient, KubeObject } from '@selvedge/kube';
import type { Lease } from '@selvedge/kube/types';
import { afterEach, describe, expect, it } from 'vitest';
import { decodeBody } from '../bodies/index.ts';
import { errorResponse } from '../answers/index.ts';
import { jsonResponse } from '../forward/index.ts';
import { hubRequest, jsonOf, nodeCaller } from '../forward/testing.ts';
import { applyPatchBody } from '../merge/index.ts';
import type { HubRequest, HubResponse } from '../request.ts';
import type { Connectivity } from '../upstream/types.ts';
import { type NodeLease, createNodeLease } from './node-lease.ts';

const online: Connectivity = { kind: 'online', sinceMs: 0, server: 'one:6443' };
const offline: Connectivity = { kind: 'offline', sinceMs: 0, reason: 'refused' };
const collection = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
const path = `${collection}/edge-1`;
const owners = [{ apiVersion: 'v1', kind: 'Node', name: 'edge-1', uid: 'n-1' }];

/** Says all that the kubelet wants of a Lease. */
const complete = (renewTime: string): object => ({
  metadata: { managedFields: [{}], ownerReferences: owners },
  spec: { holderIdentity: 'edge-1', leaseDurationSeconds: 40, renewTime },
});

const leaseOf = (renewTime: string, metadata: object = {}): Lease => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'edge-1', namespace: 'kube-node-lease', ownerReferences: owners, ...metadata },
  spec: { holderIdentity: 'edge-1', leaseDurationSeconds: 40, renewTime },
});

/** An API server that has this Lease, or none. */
interface World {
  readonly clock: ManualClock;
  readonly lease: NodeLease;
  readonly forwarded: string[];
  readonly patches: unknown[];
  stored: Lease | undefined;
  fails: boolean;
  ask(method: string, body?: object, headers?: Record<string, string>): Promise<HubResponse>;
  move(connectivity: Connectivity): void;
}

const running: NodeLease[] = [];
afterEach(async () => {
  for (const lease of running.splice(0)) await lease.stop();
});

async function world(initial: Connectivity = online): Promise<World> {
  const clock = createManualClock();
  let connectivity = initial;
  let changed: (now: Connectivity) => void = () => undefined;
  let version = 7;
  const away = (): SelvedgeError => new SelvedgeError('away', { code: 'Unavailable' });
  const answer = (stored: Lease, status = 200): HubResponse => {
    here.stored = {
      ...stored,
      metadata: { ...stored.metadata, uid: 'l-1', resourceVersion: String(version++) },
    };
    return jsonResponse(status, here.stored);
  };
  const forward = async ({ method, body }: HubRequest): Promise<HubResponse> => {
    if (connectivity.kind !== 'online') throw away();
    here.forwarded.push(method);
    const sent = body === undefined ? undefined : (JSON.parse(Buffer.from(body).toString()) as Lease);
    if (method === 'POST' && sent !== undefined) return answer(sent, 201);
    if (here.stored === undefined) return errorResponse(new SelvedgeError('gone', { code: 'NotFound' }));
    return method === 'PUT' && sent !== undefined ? answer(sent) : jsonResponse(200, here.stored);
  };
  const raw: KubeClient['raw'] = async ({ method, path: asked, contentType, body }) => {
    expect([method, asked]).toEqual(['PATCH', path]);
    if (here.fails) throw away();
    if (here.stored === undefined) throw new SelvedgeError('gone', { code: 'NotFound' });
    here.patches.push(JSON.parse(String(body)));
    const bytes = Buffer.from(String(body));
    answer(applyPatchBody('coordination.k8s.io/v1/leases', here.stored, { contentType, bytes }));
    return { status: 200, headers: {}, body: Buffer.from('k8s\0') };
  };
  const lease = createNodeLease(
    { nodeName: 'edge-1' },
    {
      upstream: {
        get connectivity() {
          return connectivity;
        },
        onConnectivity(listener) {
          changed = listener;
          return { [Symbol.dispose]: () => undefined };
        },
      },
      client: { raw },
      forward,
      decodeBody,
      applyPatchBody,
      clock,
      random: () => 0.5,
      log: silentLogger,
      metrics: createMetricsRegistry(),
    },
  );
  const here: World = {
    clock,
    lease,
    forwarded: [],
    patches: [],
    stored: leaseOf('t0'),
    fails: false,
    ask: (method, body, headers) => {
      const request = hubRequest(method, method === 'POST' ? collection : path, {
        body,
        headers: headers ?? {},
      });
      expect(lease.owns(request)).toBe(true);
      return lease.handle(request).catch(errorResponse);
    },
    move(next) {
      connectivity = next;
      changed(next);
    },
  };
  await lease.start(new AbortController().signal);
  running.push(lease);
  return here;
}

/** As the kubelet does: it puts the last answer with another time. */
async function renew(here: World, renewTime: string, last?: Lease): Promise<Lease> {
  const base = last ?? (await jsonOf<Lease & Record<string, unknown>>(await here.ask('GET')));
  const response = await here.ask('PUT', { ...base, spec: { ...base.spec, renewTime } });
  expect(response.status).toBe(200);
  return jsonOf<Lease & Record<string, unknown>>(response);
}

describe('node lease', () => {
  it('is only what the own kubelet says of its own Lease', async () => {
    const { lease } = await world();
    const user = { username: 'x', groups: [] };
    expect(lease.owns(hubRequest('GET', path))).toBe(true);
    expect(lease.owns(hubRequest('GET', `${collection}/edge-2`))).toBe(false);
    expect(lease.owns(hubRequest('GET', collection))).toBe(false);
    expect(lease.owns(hubRequest('GET', path.replace('kube-node-lease', 'default')))).toBe(false);
    expect(lease.owns(hubRequest('PUT', `${path}?dryRun=All`))).toBe(false);
    expect(lease.owns(hubRequest('PUT', path, { caller: { kind: 'operator', user } }))).toBe(false);
    expect(nodeCaller.kind).toBe('node');
  });

  it('is renewed upstream once per interval, however often the kubelet writes', async () => {
    const here = await world();
    let last = await renew(here, 't1');
    for (let i = 2; i <= 13; i += 1) {
      await here.clock.advance(5_000);
      const next = await renew(here, `t${i}`, last);
      expect(BigInt(next.metadata.resourceVersion ?? '')).toBeGreaterThan(
        BigInt(last.metadata.resourceVersion ?? ''),
      );
      last = next;
    }
    expect(here.forwarded).toEqual(['GET']);
    expect(here.patches).toEqual([
      complete('t1'),
      { spec: { renewTime: 't4' } },
      { spec: { renewTime: 't8' } },
      { spec: { renewTime: 't12' } },
    ]);
  });

  it('is renewed upstream more often where it is short', async () => {
    const here = await world();
    const { spec } = leaseOf('t0');
    here.stored = { ...leaseOf('t0'), spec: { ...spec, leaseDurationSeconds: 8 } };
    let last = await renew(here, 't1');
    for (let i = 2; i <= 5; i += 1) {
      await here.clock.advance(2_000);
      last = await renew(here, `t${i}`, last);
    }
    expect(here.patches.slice(1)).toEqual([{ spec: { renewTime: 't2' } }, { spec: { renewTime: 't4' } }]);
  });

  it('is told as a whole from time to time, and after a failure', async () => {
    const here = await world();
    let last = await renew(here, 't0');
    const next = async (renewTime: string): Promise<unknown> => {
      await here.clock.advance(30_000);
      last = await renew(here, renewTime, last);
      await here.clock.advance(0);
      return here.patches.at(-1);
    };
    for (let i = 1; i < 20; i += 1) expect(await next(`t${i}`)).toEqual({ spec: { renewTime: `t${i}` } });
    expect(await next('t20')).toEqual(complete('t20'));
    expect(await next('t21')).toEqual({ spec: { renewTime: 't21' } });
    here.fails = true;
    await next('t22');
    here.fails = false;
    expect(await next('t23')).toEqual({ spec: { renewTime: 't23' } });
    expect(here.patches.at(-2)).toEqual(complete('t22'));
  });

  it('is not renewed for a kubelet that is silent', async () => {
    const here = await world();
    here.fails = true;
    await renew(here, 't1');
    await here.clock.advance(30_000);
    here.fails = false;
    await here.clock.advance(9_000);
    expect(here.patches).toEqual([complete('t1')]);
    await renew(here, 't2');
    here.move(offline);
    await here.clock.advance(41_000);
    here.move(online);
    await here.clock.advance(60_000);
    expect(here.patches).toHaveLength(1);
  });

  it('is answered the same while the cloud is away, and told when it is back', async () => {
    const here = await world();
    const last = await renew(here, 't1');
    await here.clock.advance(1_000);
    here.move(offline);
    await here.clock.advance(50_000);
    await renew(here, 't2', last);
    expect(here.patches).toHaveLength(1);
    here.move(online);
    await here.clock.advance(0);
    expect(here.patches).toEqual([complete('t1'), complete('t2')]);
  });

  it('refuses a version that is not the last one, and takes none', async () => {
    const here = await world();
    const last = await renew(here, 't1');
    await renew(here, 't2', last);
    expect((await here.ask('PUT', last)).status).toBe(409);
    const { resourceVersion: _version, ...metadata } = last.metadata;
    expect((await here.ask('PUT', { ...last, metadata })).status).toBe(200);
    expect((await here.ask('POST', last)).status).toBe(409);
    const headers = { 'content-type': 'application/merge-patch+json' };
    const patched = await here.ask('PATCH', { spec: { renewTime: 't3' } }, headers);
    expect(await jsonOf(patched)).toMatchObject({ spec: { renewTime: 't3', holderIdentity: 'edge-1' } });
  });

  it('is made anew by the kubelet when it was deleted upstream', async () => {
    const here = await world();
    const last = await renew(here, 't1');
    await here.clock.advance(0);
    here.stored = undefined;
    await here.clock.advance(20_000);
    await renew(here, 't2', last);
    await here.clock.advance(0);
    expect((await here.ask('PUT', last)).status).toBe(404);
    expect((await here.ask('GET')).status).toBe(404);
    expect((await here.ask('POST', leaseOf('t3'))).status).toBe(201);
    await here.clock.advance(1_000);
    await renew(here, 't4');
    await here.clock.advance(20_000);
    expect(here.patches.at(-1)).toEqual(complete('t4'));
    expect(here.stored).toMatchObject({ metadata: { ownerReferences: owners }, spec: { renewTime: 't4' } });
  });

  it('can be made while the cloud is away, by a kubelet that starts', async () => {
    const here = await world(offline);
    expect((await here.ask('GET')).status).toBe(404);
    const made = await here.ask('POST', leaseOf('t1', { ownerReferences: owners }));
    expect(made.status).toBe(201);
    await renew(here, 't2', await jsonOf<Lease & Record<string, unknown>>(made));
    here.move(online);
    await here.clock.advance(0);
    expect(here.patches).toEqual([complete('t2')]);
  });

  it('takes a renewal of a version that it has never seen while the cloud is away', async () => {
    const here = await world(offline);
    const lease = leaseOf('t1', { resourceVersion: '99' });
    expect((await here.ask('PUT', lease)).status).toBe(200);
    expect((await here.ask('PUT', lease)).status).toBe(409);
  });

  it('is tried again soon after a failure', async () => {
    const here = await world();
    here.fails = true;
    await renew(here, 't1');
    await here.clock.advance(1_000);
    here.fails = false;
    await here.clock.advance(1_000);
    expect(here.patches).toHaveLength(1);
    expect((here.stored as KubeObject).metadata.uid).toBe('l-1');
  });
});
