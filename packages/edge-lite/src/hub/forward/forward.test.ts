import { gzipSync } from 'node:zlib';
import type { KubeObject } from '@selvedge/kube';
import { describe, expect, it } from 'vitest';
import type { TranslateBody } from '../bodies/types.ts';
import type { HubHandler } from '../request.ts';
import type { ResourceRequest } from '../request-info/index.ts';
import { createForward } from './forward.ts';
import {
  type MapReplica,
  type ScriptedAnswer,
  type ScriptedUpstream,
  bytesOf,
  hubRequest,
  jsonOf,
  mapReplica,
  scriptedUpstream,
} from './testing.ts';
import { naturalText } from '../replica/index.ts';

const json = { 'content-type': 'application/json' };
const pod = (name: string, resourceVersion: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'a', uid: `uid-${name}`, resourceVersion },
});

/** Object metadata of JSON bodies only. */
const translateBody: TranslateBody = ({ bytes }, translate) => {
  const object = JSON.parse(Buffer.from(bytes).toString()) as KubeObject;
  const version = object.metadata?.resourceVersion;
  if (version === undefined) return bytes;
  const metadata = { ...object.metadata, resourceVersion: translate(version) };
  return Buffer.from(JSON.stringify({ ...object, metadata }));
};

interface World {
  readonly upstream: ScriptedUpstream;
  readonly replica: MapReplica;
  readonly remembered: { readonly request: ResourceRequest; readonly object: KubeObject }[];
  readonly forward: HubHandler;
}

type TakeOver = Parameters<typeof createForward>[1]['takeOver'];

function world(
  answer: ScriptedAnswer,
  held: readonly string[] = ['v1/pods'],
  takeOver: TakeOver = (learn) => learn(),
): World {
  const upstream = scriptedUpstream(() => answer);
  const replica = mapReplica(held);
  const remembered: World['remembered'] = [];
  const views = (_resource: string, object: KubeObject): KubeObject => object;
  const remember: Parameters<typeof createForward>[1]['remember'] = (request, _caller, object) =>
    void remembered.push({ request, object });
  const clock = { now: () => 0 };
  const forward = createForward({}, { upstream, replica, views, translateBody, takeOver, remember, clock });
  return { upstream, replica, remembered, forward };
}

const at = { namespace: 'a', name: 'one' };
const podPath = '/api/v1/namespaces/a/pods/one';

describe('forward', () => {
  it('asks for JSON with the versions of upstream', async () => {
    const { forward, upstream } = world({ body: pod('one', '7') });
    await forward(
      hubRequest('GET', `${podPath}?resourceVersion=${naturalText('5')}`, {
        headers: {
          accept: 'application/vnd.kubernetes.protobuf,application/json;as=Table;v=v1;g=meta.k8s.io,*/*',
          'x-remote-user': 'root',
          connection: 'close',
          'user-agent': 'kubectl',
        },
      }),
    );
    expect(upstream.requests[0]).toMatchObject({ method: 'GET', path: `${podPath}?resourceVersion=5` });
    expect(upstream.requests[0]?.headers).toEqual({
      accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json',
      'accept-encoding': 'gzip',
      'user-agent': 'kubectl',
    });
  });

  it('refuses a client that takes protobuf only', async () => {
    const { forward, upstream } = world({});
    const headers = { accept: 'application/vnd.kubernetes.protobuf' };
    await expect(forward(hubRequest('GET', podPath, { headers }))).rejects.toMatchObject({
      code: 'Unsupported',
      details: { status: 406 },
    });
    expect(upstream.requests).toEqual([]);
  });

  it('shows an object under the version of the replica, and remembers that its reader read it', async () => {
    const { forward, replica, remembered } = world({ body: pod('one', '7') });
    replica.raise('v1/pods', at, 99n);
    const response = await forward(hubRequest('GET', podPath));
    expect(await jsonOf<KubeObject>(response)).toMatchObject({ metadata: { resourceVersion: '99' } });
    expect(replica.learned).toHaveLength(1);
    expect(remembered.map(({ object }) => object.metadata)).toMatchObject([
      { name: 'one', resourceVersion: '99' },
    ]);
  });

  it('shows the answer to a write that the replica could not take over', async () => {
    const { forward, replica } = world({ status: 201, body: pod('one', '7') }, ['v1/pods'], () => undefined);
    const response = await forward(hubRequest('POST', '/api/v1/namespaces/a/pods', { body: pod('one', '') }));
    expect([response.status, await jsonOf(response)]).toMatchObject([
      201,
      { metadata: { name: 'one', resourceVersion: naturalText('7') } },
    ]);
    expect(replica.learned).toEqual([]);
  });

  it('does not remember what was read in the name of somebody else', async () => {
    const { forward, remembered } = world({ body: pod('one', '7') });
    await forward(hubRequest('GET', podPath, { headers: { 'impersonate-user': 'jane' } }));
    expect(remembered).toEqual([]);
  });

  it('translates the precondition of a write and refuses one that is stale', async () => {
    const { forward, upstream, replica } = world({ body: pod('one', '8') });
    replica.learn('v1/pods', pod('one', '7'));
    replica.raise('v1/pods', at, 99n);
    await forward(hubRequest('PUT', podPath, { body: pod('one', '99') }));
    expect(upstream.bodies()).toMatchObject([{ metadata: { resourceVersion: '7' } }]);
    await expect(forward(hubRequest('PUT', podPath, { body: pod('one', '98') }))).rejects.toMatchObject({
      code: 'Conflict',
      message:
        'Operation cannot be fulfilled on pods "one": the object has been modified; please apply your changes to the latest version and try again',
    });
    expect(upstream.requests).toHaveLength(1);
  });

  it.each([
    ['POST', '/api/v1/namespaces/a/pods', true],
    ['PATCH', `${podPath}/status`, true],
    ['POST', '/api/v1/namespaces/a/pods?dryRun=All', false],
    ['PUT', `${podPath}/scale`, false],
    ['GET', '/api/v1/namespaces/a/services/one', false],
    ['DELETE', podPath, false],
  ])('learns from the answer to %s %s: %s', async (method, url, learns) => {
    const { forward, replica } = world({ body: pod('one', '7') });
    const response = await forward(hubRequest(method, url, { body: { metadata: {} } }));
    expect(replica.learned).toHaveLength(learns ? 1 : 0);
    expect(await jsonOf(response)).toMatchObject({ metadata: { resourceVersion: naturalText('7') } });
  });

  it.each([
    [{ deletionTimestamp: 'now', deletionGracePeriodSeconds: 30 }, 1],
    [{ deletionTimestamp: 'now', deletionGracePeriodSeconds: 0 }, 0],
    [{ deletionTimestamp: 'now', deletionGracePeriodSeconds: 0, finalizers: ['a/b'] }, 1],
  ])('learns from a deletion that left %j', async (metadata, count) => {
    const object = pod('one', '7');
    const { forward, replica } = world({
      body: { ...object, metadata: { ...object.metadata, ...metadata } },
    });
    await forward(hubRequest('DELETE', podPath));
    expect(replica.learned).toHaveLength(count);
  });

  it('shows a Scale under the version of its object, so that it may be put back', async () => {
    const scale = { kind: 'Scale', apiVersion: 'autoscaling/v1', metadata: { ...at, resourceVersion: '7' } };
    const { forward, replica } = world({ body: scale }, ['apps/v1/deployments']);
    replica.learn('apps/v1/deployments', { metadata: { ...at, resourceVersion: '7' } });
    replica.raise('apps/v1/deployments', at, 99n);
    const path = '/apis/apps/v1/namespaces/a/deployments/one/scale';
    expect(await jsonOf(await forward(hubRequest('GET', path)))).toMatchObject({
      metadata: { resourceVersion: '99' },
    });
  });

  const typed = { kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: '9', continue: 'token' } };
  const bare = ({ metadata }: KubeObject): object => ({ metadata });

  it('rewrites a list as it comes, in the form in which it came', async () => {
    const list = { ...typed, items: [bare(pod('one', '7')), bare(pod('two', '8'))] };
    const zipped = gzipSync(JSON.stringify(list));
    const pieces = Array.from(zipped, (_, i) => zipped.subarray(i, i + 1));
    const { forward, replica } = world({ headers: { ...json, 'content-encoding': 'gzip' }, body: pieces });
    replica.raise('v1/pods', at, 99n);
    const response = await forward(hubRequest('GET', '/api/v1/namespaces/a/pods'));
    expect(response.headers).toEqual(json);
    expect(await jsonOf(response)).toEqual({
      ...typed,
      metadata: { resourceVersion: naturalText('9'), continue: 'token' },
      items: [bare(pod('one', '99')), bare(pod('two', naturalText('8')))],
    });
    expect(replica.learned.map(({ kind, metadata }) => [kind, metadata.name])).toEqual([
      ['Pod', 'one'],
      ['Pod', 'two'],
    ]);
  });

  it('rewrites a list whose metadata come last', async () => {
    const item = { ...pod('one', '7'), kind: 'Gadget', apiVersion: 'x.io/v1' };
    const list = {
      apiVersion: 'x.io/v1',
      items: [item],
      kind: 'GadgetList',
      metadata: { resourceVersion: '9' },
    };
    const { forward } = world({ body: list }, ['x.io/v1/gadgets']);
    expect(await jsonOf(await forward(hubRequest('GET', '/apis/x.io/v1/gadgets')))).toEqual({
      ...list,
      items: [{ ...item, metadata: { ...item.metadata, resourceVersion: naturalText('7') } }],
      metadata: { resourceVersion: naturalText('9') },
    });
  });

  it('learns nothing from a list of an earlier moment', async () => {
    const { forward, replica } = world({ body: { ...typed, items: [bare(pod('one', '7'))] } });
    await bytesOf(await forward(hubRequest('GET', '/api/v1/pods?continue=x&limit=1')));
    expect(replica.learned).toEqual([]);
  });

  const partial = { ...pod('one', '7'), kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' };
  const table = {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: '9' },
    columnDefinitions: [{ name: 'Name' }],
    rows: [
      { cells: ['one'], object: partial },
      { cells: ['two'], object: null },
    ],
  };
  const shownTable = {
    ...table,
    metadata: { resourceVersion: naturalText('9') },
    rows: [
      {
        cells: ['one'],
        object: { ...partial, metadata: { ...partial.metadata, resourceVersion: naturalText('7') } },
      },
      { cells: ['two'], object: null },
    ],
  };

  it.each(['/api/v1/pods', podPath])('rewrites the rows of a table of %s', async (path) => {
    const { forward, remembered } = world({ body: table });
    expect(await jsonOf(await forward(hubRequest('GET', path)))).toEqual(shownTable);
    expect(remembered).toEqual([]);
  });

  it('rewrites a watch event by event', async () => {
    const events = [
      { type: 'ADDED', object: pod('one', '7') },
      { type: 'BOOKMARK', object: { kind: 'Pod', metadata: { resourceVersion: '9' } } },
      { type: 'ADDED', object: table },
      { type: 'ERROR', object: { kind: 'Status', metadata: {}, code: 410 } },
    ];
    const bytes = Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    const pieces = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
    const { forward, replica, upstream } = world({ body: pieces });
    const response = await forward(hubRequest('GET', '/api/v1/pods?watch=1'));
    const lines = (await bytesOf(response)).toString().trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { type: 'ADDED', object: pod('one', naturalText('7')) },
      { type: 'BOOKMARK', object: { kind: 'Pod', metadata: { resourceVersion: naturalText('9') } } },
      { type: 'ADDED', object: shownTable },
      events[3],
    ]);
    expect(replica.learned).toEqual([]);
    expect(upstream.requests[0]).toMatchObject({
      longRunning: true,
      headers: { 'accept-encoding': 'identity' },
    });
  });

  it('passes refusals on with their headers', async () => {
    const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code: 429 };
    const headers = {
      ...json,
      'retry-after': '3',
      warning: '299 - "old"',
      ':status': '429',
      connection: 'close',
    };
    const { forward } = world({ status: 429, headers, body: status });
    const response = await forward(hubRequest('PUT', podPath, { body: pod('one', '') }));
    expect(response).toMatchObject({ status: 429 });
    expect(response.headers).toEqual({ ...json, 'retry-after': '3', warning: '299 - "old"' });
    expect(await jsonOf(response)).toEqual(status);
  });

  it('passes logs through as they are', async () => {
    const zipped = gzipSync('line\n');
    const headers = { 'content-type': 'text/plain', 'content-encoding': 'gzip' };
    const { forward, upstream } = world({ headers, body: [zipped] });
    const request = hubRequest('GET', `${podPath}/log?follow=true`, {
      headers: { accept: 'application/vnd.kubernetes.protobuf', 'accept-encoding': 'gzip' },
    });
    const response = await forward(request);
    expect(response.headers).toEqual(headers);
    expect(await bytesOf(response)).toEqual(zipped);
    expect(upstream.requests[0]).toMatchObject({ longRunning: true, headers: request.headers });
  });

  it('says that an answer broke off', async () => {
    const whole = { ...typed, items: [bare(pod('one', '7'))] };
    const { forward } = world({ body: whole, breaks: true });
    const response = await forward(hubRequest('GET', '/api/v1/pods'));
    await expect(bytesOf(response)).rejects.toMatchObject({ code: 'Unavailable' });
    await expect(forward(hubRequest('GET', podPath))).rejects.toMatchObject({ code: 'Unavailable' });
  });

  it('lets go of the answer when its reader stops early', async () => {
    const zipped = gzipSync(JSON.stringify({ ...typed, items: [bare(pod('one', '7'))] }));
    const { forward, upstream } = world({
      headers: { ...json, 'content-encoding': 'gzip' },
      body: [zipped.subarray(0, 50)],
    });
    const { body } = await forward(hubRequest('GET', '/api/v1/pods'));
    const reader = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    const reading = reader.next().catch(() => undefined);
    await reading;
    await reader.return?.();
    expect(upstream.responses[0]?.body.destroyed).toBe(true);
  });
});
