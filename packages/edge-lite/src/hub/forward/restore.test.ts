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

test.each([
  ['{"data":{"ca.crt":"mine"}}', merge],
  [' {"metadata":{"labels":{}}}', undefined],
  ['[{"op":"replace","path":"/data","value":{"ca.crt":"cluster\\nhub"}}]', 'application/json-patch+json'],
  ['data: {}', 'application/apply-patch+yaml'],
])('%s of type %s is sent in the same bytes', (text, type) => {
  const bytes = Buffer.from(text);
  expect(restoreBody(bytes, type, shown)).toBe(bytes);
});
