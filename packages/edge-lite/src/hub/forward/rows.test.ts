import type { KubeObject } from '@selvedge/kube';
import type { EndpointSlice } from '@selvedge/kube/types';
import { expect, test } from 'vitest';
import type { ApplyViews } from '../replica/types.ts';
import type { HubHandler } from '../request.ts';
import { createForward } from './forward.ts';
import {
  type ScriptedAnswer,
  type ScriptedUpstream,
  bytesOf,
  hubRequest,
  jsonOf,
  mapReplica,
  scriptedUpstream,
} from './testing.ts';

const path = '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices';
const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const own = { addresses: ['10.0.0.1'] };
const slice: EndpointSlice & KubeObject = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { namespace: 'shop', name: 'web', creationTimestamp: '1970-01-01T00:00:00Z' },
  addressType: 'IPv4',
  endpoints: [own, { addresses: ['10.0.0.2'] }],
  ports: [{ port: 80 }],
};
const table = {
  kind: 'Table',
  apiVersion: 'meta.k8s.io/v1',
  metadata: { resourceVersion: '9' },
  columnDefinitions: ['Name', 'AddressType', 'Ports', 'Endpoints', 'Age'].map((name) => ({ name })),
  rows: [{ cells: ['web', 'IPv4', '80', '10.0.0.1,10.0.0.2', '5s'], object: slice }],
};

/** Shows the first endpoint only. */
const views: ApplyViews = (_resource, object) => ({ ...object, endpoints: [own] }) as KubeObject;

/** A hub whose upstream answers with this. */
function world(body: unknown): { readonly forward: HubHandler; readonly upstream: ScriptedUpstream } {
  const upstream = scriptedUpstream(() => ({ body }) as ScriptedAnswer);
  const forward = createForward(
    {},
    {
      upstream,
      views,
      replica: mapReplica([]),
      translateBody: ({ bytes }) => bytes,
      takeOver: () => undefined,
      remember: () => undefined,
      clock: { now: () => 5_000 },
    },
  );
  return { upstream, forward };
}

test.each([
  ['', { kind: 'PartialObjectMetadata', metadata: { name: 'web' } }],
  ['includeObject=Object', { kind: 'EndpointSlice', endpoints: [own] }],
  ['includeObject=None', null],
])('a table of a list (%j) says nothing that views take away', async (query, object) => {
  const { forward, upstream } = world(table);
  const answer = await forward(hubRequest('GET', `${path}?${query}`, { headers: { accept } }));
  const text = (await bytesOf(answer)).toString();
  expect(upstream.requests[0]?.path).toBe(`${path}?includeObject=Object`);
  const cells = ['web', 'IPv4', '80', '10.0.0.1', '5s'];
  expect(JSON.parse(text)).toMatchObject({ ...table, metadata: {}, rows: [{ cells, object }] });
  expect(text).not.toContain('10.0.0.2');
});

test.each([
  [`${path}/web`, table],
  [`${path}?watch=1`, [Buffer.from(`${JSON.stringify({ type: 'ADDED', object: table })}\n`)]],
  [path, { ...table, rows: [{ ...table.rows[0], object: null }] }],
])('nor does one of %s, whatever upstream puts into its rows', async (url, body) => {
  const answer = await world(body).forward(hubRequest('GET', url, { headers: { accept } }));
  const text = (await bytesOf(answer)).toString();
  expect(text).toContain('"cells":[');
  expect(text).not.toContain('10.0.0.2');
});

test('objects are asked for only where it matters', async () => {
  const { forward, upstream } = world({ kind: 'PodList', metadata: {}, items: [] });
  await jsonOf(await forward(hubRequest('GET', '/api/v1/pods', { headers: { accept } })));
  await jsonOf(await forward(hubRequest('GET', path, { headers: { accept: 'application/json' } })));
  expect(upstream.requests.map((request) => request.path)).toEqual(['/api/v1/pods', path]);
});
