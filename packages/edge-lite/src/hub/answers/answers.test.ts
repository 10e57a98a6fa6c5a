import { SelvedgeError } from '@selvedge/kit';
import { fc, test as property } from '@fast-check/vitest';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { negotiate } from './accept.ts';
import { forbidden, notFound } from './errors.ts';
import { withGzip } from './gzip.ts';
import { listChunks, listHead } from './list.ts';
import { errorResponse, statusOf } from './status.ts';
import { customPrinter } from './table/index.ts';
import { unavailable } from './unavailable.ts';

const partial = ';as=PartialObjectMetadata;g=meta.k8s.io;v=';

describe('what a client accepts', () => {
  it.each([
    [undefined, 'json object v1'],
    ['*/*', 'json object v1'],
    ['application/vnd.kubernetes.protobuf, */*', 'json object v1'],
    ['application/vnd.kubernetes.protobuf,application/json', 'json object v1'],
    ['application/json;q=0.1,application/yaml;q=0.9', 'yaml object v1'],
    [
      `application/vnd.kubernetes.protobuf${partial}v1,application/json${partial}v1`,
      'json PartialObjectMetadata v1',
    ],
    [`application/json${partial}v1beta1,application/json`, 'json PartialObjectMetadata v1beta1'],
    [`application/json${partial}v7,application/json`, 'json object v1'],
    ['application/json;as=Table;v=v1;g=meta.k8s.io', 'json Table v1'],
    ['application/json;stream=watch', 'json object v1'],
    ['application/json;as=Chair;v=v1;g=meta.k8s.io, */*;q=0.1', 'json object v1'],
  ])('%s is answered with %s', (header, expected) => {
    const { type, as, version } = negotiate(header, { yaml: true });
    expect(`${type} ${as} ${version}`).toBe(expected);
  });

  it.each(['application/vnd.kubernetes.protobuf', 'text/html', `application/json${partial}v7`])(
    '%s cannot be answered',
    (header) => {
      expect(() => negotiate(header, { yaml: true })).toThrow(
        expect.objectContaining({ details: { status: 406, reason: 'NotAcceptable' } }),
      );
    },
  );

  property.prop([fc.string()])('is answered or refused whatever it says', (header) => {
    try {
      expect(negotiate(header, { yaml: false }).type).toBe('json');
    } catch (error) {
      expect(error).toMatchObject({ code: 'Unsupported' });
    }
  });
});

describe('errors', () => {
  const pod = { group: '', resource: 'pods', name: 'a' };

  it('are Statuses with the details that the API server gives', () => {
    expect(statusOf(notFound({ group: 'apps', resource: 'deployments', name: 'a' }))).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'deployments.apps "a" not found',
      reason: 'NotFound',
      details: { name: 'a', group: 'apps', kind: 'deployments' },
      code: 404,
    });
  });

  it('say who may not do what, and why', () => {
    const info = {
      kind: 'resource',
      verb: 'get',
      version: 'v1',
      namespace: 'n',
      subresource: 'log',
    } as const;
    const rest = { rest: [], verbInPath: false, labelSelector: '', fieldSelector: '' };
    const error = forbidden({ username: 'u', groups: [] }, { ...info, ...pod, ...rest }, 'no rule');
    expect(error.message).toBe(
      'pods "a" is forbidden: User "u" cannot get resource "pods/log" in API group "" in the namespace "n": no rule',
    );
  });

  it('say when to come again, where no client hangs on it', () => {
    const { status, headers, body } = errorResponse(unavailable({ nodeName: 'n', sinceMs: 0 }, 'pods'));
    expect(status).toBe(503);
    expect(headers['retry-after']).toBeUndefined();
    expect(JSON.parse(Buffer.from(body).toString('utf8'))).toMatchObject({
      reason: 'ServiceUnavailable',
      message: 'node n is autonomous since 1970-01-01T00:00:00Z: pods is not available',
      details: { retryAfterSeconds: 5 },
      code: 503,
    });
  });

  it.each([
    [new SelvedgeError('x', { code: 'Invalid' }), 400, 'BadRequest'],
    [new SelvedgeError('x', { code: 'Conflict', details: { kind: 'pods', name: 'a' } }), 409, 'Conflict'],
    [new SelvedgeError('x', { code: 'Gone' }), 410, 'Expired'],
    [new SelvedgeError('x', { code: 'Forbidden', details: { status: 403, reason: '' } }), 403, 'Forbidden'],
    [new TypeError('x'), 500, 'InternalError'],
  ])('%s is %d %s', (error, code, reason) => {
    expect(statusOf(error)).toMatchObject({ code, reason });
  });
});

async function textOf(body: Uint8Array | AsyncIterable<Uint8Array>): Promise<Buffer> {
  if (body instanceof Uint8Array) return Buffer.from(body);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('lists', () => {
  const head = listHead({ kind: 'PodList', apiVersion: 'v1' }, { resourceVersion: '7', continue: 'more' });

  property.prop([
    fc.array(fc.record({ text: fc.string({ maxLength: 30_000 }) }), { maxLength: 20 }),
    fc.boolean(),
  ])('are whole JSON however they are cut, compressed or not', async (items, zip) => {
    const body = listChunks(
      head,
      items.map((item) => JSON.stringify(item)),
    );
    const answer = await withGzip({ status: 200, headers: {}, body }, zip ? 'gzip;q=1.0' : undefined);
    const bytes = await textOf(answer.body);
    const zipped = answer.headers['content-encoding'] === 'gzip';
    const text = (zipped ? gunzipSync(bytes) : bytes).toString('utf8');
    expect(zipped).toBe(zip && Buffer.byteLength(text) > 128 * 1024);
    expect(JSON.parse(text)).toEqual({
      kind: 'PodList',
      apiVersion: 'v1',
      metadata: { resourceVersion: '7', continue: 'more' },
      items,
    });
  });

  it('let go of their items when the client goes', async () => {
    let open = true;
    function* items(): Generator<string, void, void> {
      try {
        for (;;) yield JSON.stringify('x'.repeat(100_000));
      } finally {
        open = false;
      }
    }
    const answer = await withGzip({ status: 200, headers: {}, body: listChunks(head, items()) }, 'gzip');
    if (answer.body instanceof Uint8Array) throw new TypeError('not a stream');
    for await (const chunk of answer.body) {
      expect(chunk.byteLength).toBeGreaterThan(0);
      break;
    }
    expect(open).toBe(false);
  });
});

describe('columns of custom resources', () => {
  const object = {
    metadata: { name: 'a', labels: { 'a.b/c': 'd' }, creationTimestamp: '1970-01-01T00:00:00Z' },
    spec: { size: 3, on: true, list: [{ name: 'x' }, { name: 'y' }] },
    status: {
      conditions: [
        { type: 'Synced', status: 'False' },
        { type: 'Ready', status: 'True' },
      ],
    },
  };
  it.each([
    ['string', String.raw`.metadata.labels.a\.b/c`, 'd'],
    ['string', ".metadata.labels['a\\.b/c']", 'd'],
    ['integer', '.spec.size', 3],
    ['boolean', '.spec.on', true],
    ['string', '.spec.size', '3'],
    ['integer', '.spec.on', null],
    ['string', '.spec.list[1].name', 'y'],
    ['string', '.status.conditions[?(@.type=="Ready")].status', 'True'],
    ['string', '.status.conditions[?(@.type=="Lost")].status', null],
    ['date', '.metadata.creationTimestamp', '5s'],
    ['string', '.spec.none', null],
  ])('a %s at %s is %s', (type, jsonPath, cell) => {
    const printer = customPrinter([{ name: 'X', type, jsonPath }]);
    expect(printer.cells(object, 5_000)).toEqual(['a', cell]);
  });
});
