import type { KubeObject } from '@selvedge/kube';
import { expect, test } from 'vitest';
import { restoreBody } from './restore.ts';

const metadata = { namespace: 'a', name: 'kube-root-ca.crt' };
interface Trust extends KubeObject {
  readonly data: Readonly<Record<string, string>>;
}
const trust = (...authorities: readonly string[]): Trust => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata,
  data: { 'ca.crt': authorities.join('\n'), other: 'x' },
});
const shown = { base: trust('cluster'), viewed: trust('cluster', 'hub') };
const merge = 'application/merge-patch+json';

const sent = (body: object, contentType?: string): unknown =>
  JSON.parse(Buffer.from(restoreBody(Buffer.from(JSON.stringify(body)), contentType, shown)).toString());

test('a view is not written back with what somebody changed beside it', () => {
  const edited = { ...shown.viewed, metadata: { ...metadata, labels: { a: 'b' } } };
  expect(sent(edited)).toEqual({ ...edited, data: shown.base.data });
  const patch = { metadata: { labels: { a: 'b' } }, data: { 'ca.crt': 'cluster\nhub', more: 'y' } };
  expect(sent(patch, merge)).toEqual({ ...patch, data: { 'ca.crt': 'cluster', more: 'y' } });
  expect(sent(patch, 'application/apply-patch+yaml')).toEqual(sent(patch, merge));
});

test('what a view hides is not taken away by who did not see it', () => {
  const base = { ...trust('cluster'), immutable: true };
  const bytes = Buffer.from(JSON.stringify({ ...trust('cluster'), data: {} }));
  const next = (type?: string): unknown =>
    JSON.parse(Buffer.from(restoreBody(bytes, type, { base, viewed: trust('cluster') })).toString());
  expect(next()).toEqual({ ...base, data: {} });
  expect(next(merge)).toEqual({ ...trust('cluster'), data: {} });
});

interface Slice extends KubeObject {
  readonly endpoints: readonly object[];
}
const slice = (...addresses: readonly string[]): Slice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { namespace: 'a', name: 'web-1' },
  endpoints: addresses.map((one) => ({ addresses: [one] })),
});
const restoredSlice = (viewed: Slice, body: unknown, type?: string, base = slice('a', 'b')): unknown =>
  JSON.parse(Buffer.from(restoreBody(Buffer.from(JSON.stringify(body)), type, { base, viewed })).toString());

test('of a list each item is undone, be it changed beside, or moved', () => {
  const viewed = slice('here', 'b');
  const hinted = { addresses: ['here'], hints: {} };
  const changed = { ...viewed, endpoints: [hinted, viewed.endpoints[1]] };
  expect(restoredSlice(viewed, changed)).toEqual({
    ...changed,
    endpoints: [{ addresses: ['a'], hints: {} }, { addresses: ['b'] }],
  });
  expect(restoredSlice(viewed, slice('new', 'here', 'b'))).toEqual(slice('new', 'a', 'b'));
  expect(restoredSlice(viewed, slice('b'))).toEqual(slice('b'));
});

test('a list of which views took something is refused to who says what they left changed', () => {
  expect(restoredSlice(slice('hub'), slice('hub'))).toEqual(slice('a', 'b'));
  expect(() => restoredSlice(slice('hub'), slice('hub', 'mine'))).toThrow(
    /write it at the API server itself/,
  );
  expect(restoredSlice(slice('hub'), slice('mine', 'too'))).toEqual(slice('mine', 'too'));
});

const jsonPatch = 'application/json-patch+json';

test('a JSON patch compares with, and sets, what upstream has', () => {
  const patch = [
    { op: 'test', path: '/data/ca.crt', value: 'cluster\nhub' },
    { op: 'test', path: '/data', value: shown.viewed.data },
    { op: 'replace', path: '', value: shown.viewed },
    { op: 'add', path: '/data/ca.crt', value: 'mine' },
    { op: 'add', path: '/data/more', value: 'y' },
    { op: 'remove', path: '/data/other' },
  ];
  expect(sent(patch, jsonPatch)).toEqual([
    { op: 'test', path: '/data/ca.crt', value: 'cluster' },
    { op: 'test', path: '/data', value: shown.base.data },
    { op: 'replace', path: '', value: shown.base },
    ...patch.slice(3),
  ]);
});

test('a JSON patch says nothing of what only views have', () => {
  const { data: _data, ...base } = trust();
  const viewed = trust('hub');
  const bytes = Buffer.from(JSON.stringify([{ op: 'add', path: '/data', value: viewed.data }]));
  expect(Buffer.from(restoreBody(bytes, jsonPatch, { base, viewed })).toString()).toBe('[]');
});

test('a JSON patch of a place in a list that views changed is refused', () => {
  const viewed = slice('hub');
  for (const path of ['/endpoints/0', '/endpoints/-', '/endpoints/0/addresses/0'])
    expect(() => restoredSlice(viewed, [{ op: 'add', path, value: 'x' }], jsonPatch)).toThrow(/a list/);
  expect(() => restoredSlice(viewed, [{ op: 'copy', from: '/endpoints/0', path: '/x' }], jsonPatch)).toThrow(
    /a list/,
  );
  const beside = [{ op: 'add', path: '/metadata/labels', value: { a: 'b' } }];
  expect(restoredSlice(viewed, beside, jsonPatch)).toEqual(beside);
});

test.each([
  ['data: {"ca.crt": "cluster\\nhub", more: y}', 'application/apply-patch+yaml', 'YAML'],
  ['data:\n  ca.crt: |-\n    cluster\n    hub\n', 'application/yaml', 'YAML'],
  ['{data: {ca.crt: "cluster\\nhub"}}', 'application/yaml', 'YAML'],
  ['k8s\0', 'application/vnd.kubernetes.protobuf', 'protobuf'],
])('%j of type %s cannot be undone: send JSON', (text, type, format) => {
  expect(() => restoreBody(Buffer.from(text), type, shown)).toThrow(
    expect.objectContaining({ code: 'Unsupported', message: expect.stringContaining(`in ${format} would`) }),
  );
});

test.each([
  ['{"data":{"ca.crt":"mine"}}', merge],
  [' {"metadata":{"labels":{}}}', undefined],
  ['[{"op":"replace","path":"/data","value":{"ca.crt":"cluster"}}]', 'application/json-patch+json'],
  ['data: {}', 'application/apply-patch+yaml'],
])('%s of type %s is sent in the same bytes', (text, type) => {
  const bytes = Buffer.from(text);
  expect(restoreBody(bytes, type, shown)).toBe(bytes);
});
