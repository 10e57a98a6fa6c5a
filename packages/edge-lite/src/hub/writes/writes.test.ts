import { SelvedgeError } from '@selvedge/kit';
import type { KubeObject } from '@selvedge/kube';
import { afterEach, describe, expect, it } from 'vitest';
import { bytesOf, hubRequest, jsonOf, nodeCaller } from '../forward/testing.ts';
import type { Replica } from '../replica/types.ts';
import type { Caller, HubRequest, HubResponse } from '../request.ts';
import {
  endWorlds,
  merge,
  node,
  nodeName,
  nodePath,
  offline,
  online,
  pod,
  podPath,
  strategic,
  world,
} from './testing.ts';

afterEach(endWorlds);

const jsonPatch = { 'content-type': 'application/json-patch+json' };
const condition = { type: 'Ready', status: 'False' };

async function said(response: HubResponse): Promise<readonly [number, string]> {
  const { message = '', reason = '' } = await jsonOf<{ message?: string; reason?: string }>(response);
  return [response.status, `${reason}: ${message}`];
}

function shown(replica: Replica, resource: string, at: { namespace: string; name: string }): unknown {
  const row = replica.reader(resource).get(at);
  return row === undefined ? undefined : JSON.parse(row.json);
}

describe('writes while the cloud is away', () => {
  it.each([
    ['PATCH', strategic, { status: { conditions: [condition] } }],
    ['PATCH', merge, { metadata: { labels: { a: 'b' } }, status: { conditions: [condition] } }],
    ['PATCH', jsonPatch, [{ op: 'replace', path: '/status/conditions/0/status', value: 'False' }]],
    ['PUT', {}, { ...node, metadata: { name: nodeName }, spec: {}, status: { conditions: [condition] } }],
  ])('take the status of the own Node and nothing else of it: %s %j', async (method, headers, body) => {
    const { writes, replica } = await world();
    const before = replica.reader('v1/nodes').version;
    const response = await writes(hubRequest(method, `${nodePath}/status`, { headers, body }));
    expect(response.status).toBe(200);
    const object = await jsonOf<KubeObject>(response);
    expect(object).toMatchObject({
      ...node,
      metadata: { labels: { a: 'b' } },
      status: { conditions: [condition] },
    });
    expect(BigInt(object.metadata.resourceVersion ?? '0')).toBeGreaterThan(before);
    expect(shown(replica, 'v1/nodes', { namespace: '', name: nodeName })).toEqual(object);
    expect(replica.overlays()).toMatchObject([
      { uid: 'n-1', current: { status: { conditions: [condition] } } },
    ]);
  });

  it.each([
    [nodePath, { labels: { x: 'y' } }],
    [nodePath, { labels: null }],
    [nodePath, { annotations: { x: 'y' } }],
    [podPath, { finalizers: ['example.com/x'] }],
  ])(
    'refuse a status of %s with other metadata %j, of which nothing would come upstream',
    async (path, metadata) => {
      const { writes, replica } = await world();
      const body = { metadata, status: { conditions: [condition] } };
      const response = await writes(hubRequest('PATCH', `${path}/status`, { headers: merge, body }));
      expect(response.status).toBe(503);
      expect(replica.overlays()).toEqual([]);
    },
  );

  it('are refused without a word of when to come again, where there is no room', async () => {
    const { writes } = await world(offline, { maxOverlays: 0 });
    const body = { status: { phase: 'Running' } };
    const response = await writes(hubRequest('PATCH', `${podPath}/status`, { headers: merge, body }));
    expect(response.headers).not.toHaveProperty('retry-after');
    expect(await said(response)).toEqual([
      507,
      'InsufficientStorage: local changes of 0 objects wait for the cloud already',
    ]);
  });

  it('take the status of a pod of this node, which keeps its class', async () => {
    const { writes, replica } = await world();
    const body = { ...pod('own', nodeName), metadata: { name: 'own' }, status: { phase: 'Running' } };
    const response = await writes(hubRequest('PUT', `${podPath}/status`, { body }));
    expect(await jsonOf(response)).toMatchObject({ status: { phase: 'Running', qosClass: 'Burstable' } });
    expect(replica.overlays()).toHaveLength(1);
  });

  it('write nothing when nothing changed', async () => {
    const { writes, replica } = await world();
    const body = { status: { phase: 'Pending' } };
    const response = await writes(hubRequest('PATCH', `${podPath}/status`, { headers: merge, body }));
    expect(await jsonOf(response)).toEqual(shown(replica, 'v1/pods', { namespace: 'a', name: 'own' }));
    expect(replica.overlays()).toEqual([]);
  });

  it.each([
    [
      { resourceVersion: '1' },
      'Conflict: Operation cannot be fulfilled on pods "own": the object has been modified',
    ],
    [
      { uid: 'x' },
      'Conflict: Operation cannot be fulfilled on pods "own": Precondition failed: UID in precondition: x',
    ],
  ])('refuse a status with the precondition %j', async (metadata, expected) => {
    const { writes, replica } = await world();
    const body = { metadata, status: { phase: 'Running' } };
    const [status, text] = await said(
      await writes(hubRequest('PATCH', `${podPath}/status`, { headers: strategic, body })),
    );
    expect([status, text.slice(0, expected.length)]).toEqual([409, expected]);
    expect(replica.overlays()).toEqual([]);
  });

  it('accept the version that was shown', async () => {
    const { writes, replica } = await world();
    const { metadata } = shown(replica, 'v1/pods', { namespace: 'a', name: 'own' }) as KubeObject;
    const body = { metadata: { resourceVersion: metadata.resourceVersion }, status: { phase: 'Running' } };
    const request = hubRequest('PATCH', `${podPath}/status`, { headers: merge, body });
    expect((await writes(request)).status).toBe(200);
    expect((await writes(request)).status).toBe(409);
  });

  const token = (username: string): Caller => ({
    kind: 'token',
    token: 't',
    pod: undefined,
    user: { username, groups: [] },
  });
  const operator: Caller = { kind: 'operator', user: { username: 'jane', groups: [] } };
  const status = { status: { phase: 'Running' } };
  const unavailable = (what: string): string =>
    `ServiceUnavailable: node edge-1 is autonomous since 2026-01-01T00:00:00Z: ${what} is not available`;

  it.each([
    [
      'PATCH',
      '/api/v1/namespaces/a/pods/other/status',
      status,
      nodeCaller,
      403,
      'Forbidden: pods "other" is forbidden: node "edge-1" can only update pod status for pods with spec.nodeName set to itself',
    ],
    [
      'PATCH',
      '/api/v1/namespaces/a/pods/none/status',
      status,
      nodeCaller,
      503,
      unavailable('patch pods/status "none" in the namespace "a"'),
    ],
    [
      'PATCH',
      `${podPath}/status`,
      status,
      token('may'),
      503,
      unavailable('patch pods/status "own" in the namespace "a"'),
    ],
    [
      'PATCH',
      `${podPath}/status?dryRun=All`,
      status,
      nodeCaller,
      503,
      unavailable('patch pods/status "own" in the namespace "a"'),
    ],
    [
      'PATCH',
      podPath,
      { metadata: { labels: { x: 'y' } } },
      nodeCaller,
      503,
      unavailable('patch pods "own" in the namespace "a"'),
    ],
    ['DELETE', podPath, undefined, nodeCaller, 503, unavailable('delete pods "own" in the namespace "a"')],
    [
      'POST',
      `${podPath}/binding`,
      {},
      nodeCaller,
      503,
      unavailable('create pods/binding "own" in the namespace "a"'),
    ],
    [
      'DELETE',
      '/apis/apps/v1/namespaces/a/deployments',
      undefined,
      token('may'),
      503,
      unavailable('deletecollection deployments.apps in the namespace "a"'),
    ],
    [
      'PATCH',
      nodePath,
      { metadata: { labels: { a: 'c' } } },
      nodeCaller,
      503,
      unavailable('patch nodes "edge-1"'),
    ],
    ['POST', '/api/v1/nodes', node, nodeCaller, 409, 'AlreadyExists: nodes "edge-1" already exists'],
    [
      'POST',
      '/apis/storage.k8s.io/v1/csinodes',
      { metadata: { name: nodeName } },
      nodeCaller,
      409,
      'AlreadyExists: csinodes.storage.k8s.io "edge-1" already exists',
    ],
    [
      'POST',
      '/api/v1/namespaces/a/pods',
      { metadata: { name: 'own' } },
      nodeCaller,
      409,
      'AlreadyExists: pods "own" already exists',
    ],
    [
      'POST',
      '/api/v1/namespaces/a/pods',
      { metadata: { name: 'own' } },
      token('may'),
      409,
      'AlreadyExists: pods "own" already exists',
    ],
    [
      'POST',
      '/api/v1/persistentvolumes',
      { metadata: { name: 'read-before' } },
      nodeCaller,
      409,
      'AlreadyExists: persistentvolumes "read-before" already exists',
    ],
    [
      'POST',
      '/api/v1/namespaces/a/pods',
      { metadata: { name: 'new' } },
      nodeCaller,
      503,
      unavailable('create pods in the namespace "a"'),
    ],
    [
      'POST',
      '/api/v1/namespaces/a/pods',
      { metadata: { generateName: 'own' } },
      nodeCaller,
      503,
      unavailable('create pods in the namespace "a"'),
    ],
    [
      'POST',
      '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      {},
      nodeCaller,
      503,
      unavailable('create subjectaccessreviews.authorization.k8s.io'),
    ],
    ['POST', '/healthz', undefined, nodeCaller, 503, unavailable('post /healthz')],
  ])('answer %s %s %j of %j with %s', async (method, url, body, caller, code, text) => {
    const { writes, replica, forwarded } = await world();
    const headers = method === 'PATCH' ? merge : {};
    const response = await writes(hubRequest(method, url, { body, caller, headers }));
    expect(await said(response)).toEqual([code, text]);
    expect(replica.overlays()).toEqual([]);
    expect(forwarded).toEqual([]);
  });

  it.each([
    ['POST', '/api/v1/namespaces/a/pods', { metadata: { name: 'own' } }, token('may-not')],
    ['POST', '/api/v1/namespaces/a/events', {}, token('may-not')],
    ['PATCH', `${podPath}/status`, status, operator],
    ['DELETE', podPath, undefined, operator],
  ])('forbid %s %s %j of %j', async (method, url, body, caller) => {
    const { writes, replica } = await world();
    const headers = method === 'PATCH' ? merge : {};
    expect((await writes(hubRequest(method, url, { body, caller, headers }))).status).toBe(403);
    expect(replica.overlays()).toEqual([]);
  });

  it('are nobody else’s', async () => {
    const { writes } = await world();
    const headers = { ...merge, 'impersonate-user': 'jane' };
    expect((await writes(hubRequest('PATCH', `${podPath}/status`, { headers, body: status }))).status).toBe(
      503,
    );
  });

  it.each([
    ['POST', '/api/v1/namespaces/a/events', nodeCaller, 'Event'],
    ['PATCH', '/apis/events.k8s.io/v1/namespaces/a/events/x', token('may'), 'Event'],
    ['POST', '/api/v1/namespaces/a/serviceaccounts/default/token', nodeCaller, 'TokenRequest'],
    ['PUT', '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/edge-1', nodeCaller, 'Event'],
  ])('go to the part that keeps them: %s %s', async (method, url, caller, kind) => {
    const { writes } = await world();
    expect(await jsonOf(await writes(hubRequest(method, url, { body: {}, caller })))).toEqual({ kind });
  });

  it('let the own Node pass when nothing would change', async () => {
    const { writes } = await world();
    const body = { metadata: { labels: { a: 'b' } } };
    const response = await writes(hubRequest('PATCH', nodePath, { headers: strategic, body }));
    expect(await jsonOf(response)).toMatchObject({ metadata: { uid: 'n-1' } });
    const whole = { ...node, metadata: { ...node.metadata, resourceVersion: undefined }, status: {} };
    expect((await writes(hubRequest('PUT', nodePath, { body: whole }))).status).toBe(503);
  });
});

describe('writes while the cloud is there', () => {
  const body = { status: { phase: 'Running' } };
  const request = (): HubRequest => hubRequest('PATCH', `${podPath}/status`, { headers: merge, body });
  const broken = async (): Promise<never> => {
    throw new SelvedgeError('the connection broke', { code: 'Unavailable' });
  };

  it('go through', async () => {
    const { writes, forwarded } = await world(online);
    expect((await bytesOf(await writes(request()))).toString()).toBe('{"kind":"Forwarded"}');
    expect(forwarded).toHaveLength(1);
  });

  it('are not taken over when an answer was lost', async () => {
    const here = await world(online);
    here.forward = broken;
    expect((await here.writes(request())).status).toBe(503);
    expect(here.replica.overlays()).toEqual([]);
  });

  it('are taken over in the moment in which it goes away', async () => {
    const here = await world(online);
    here.forward = () => {
      here.connectivity = offline;
      return broken();
    };
    expect((await here.writes(request())).status).toBe(200);
    expect(here.replica.overlays()).toHaveLength(1);
  });

  it('do not overtake what was said before', async () => {
    const here = await world(offline);
    await here.writes(request());
    here.connectivity = online;
    const later = { status: { phase: 'Succeeded' } };
    await here.writes(hubRequest('PATCH', `${podPath}/status`, { headers: merge, body: later }));
    expect(here.replica.overlays()).toMatchObject([{ current: later }]);
    expect([here.forwarded, here.replays]).toEqual([[], [1]]);
    await here.writes(hubRequest('PATCH', `${podPath}/status?dryRun=All`, { headers: merge, body: later }));
    await here.writes(hubRequest('DELETE', podPath));
    expect(here.forwarded).toHaveLength(2);
  });
});
