import { fc } from '@fast-check/vitest';

export interface FuzzedRequest {
  readonly method: string;
  /** Percent-encoded, with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

const odd = fc.oneof(
  fc.constantFrom(
    '.',
    '..',
    '%2e%2e',
    '%00',
    '%2F',
    '%ff',
    '*',
    '-',
    '0',
    'a.b',
    '%F0%9F%90%99',
    'A'.repeat(300),
  ),
  fc.string({ maxLength: 12, unit: 'binary' }).map((text) => encodeURIComponent(text.toWellFormed())),
);
const named = fc.oneof({ weight: 4, arbitrary: fc.constantFrom('a', 'b', 'none', 'edge', 'default') }, odd);
const plural = fc.constantFrom(
  'configmaps',
  'pods',
  'services',
  'nodes',
  'secrets',
  'leases',
  'events',
  'namespaces',
  'things',
);
const group = fc.constantFrom(
  '/api/v1',
  '/apis/apps/v1',
  '/apis/coordination.k8s.io/v1',
  '/apis/example.com/v1',
  '/api/v9',
);
const sub = fc.constantFrom('status', 'scale', 'log', 'token', 'binding', 'finalize', 'nothing');

const resourcePath = fc
  .record({
    group: fc.oneof({ weight: 5, arbitrary: fc.constant('/api/v1') }, group),
    namespace: fc.option(named),
    plural: fc.oneof({ weight: 9, arbitrary: plural }, odd),
    name: fc.option(named),
    sub: fc.option(sub, { freq: 3 }),
  })
  .map(({ group: at, namespace, plural: what, name, sub: part }) => {
    const where = namespace === null ? at : `${at}/namespaces/${namespace}`;
    const object = name === null ? `${where}/${what}` : `${where}/${what}/${name}`;
    return name === null || part === null ? object : `${object}/${part}`;
  });
const anyPath = fc
  .array(fc.oneof(odd, named, plural), { maxLength: 6 })
  .map((parts) => `/${parts.join('/')}`);
const path = fc.oneof({ weight: 6, arbitrary: resourcePath }, anyPath);

const selector = fc.oneof(
  fc.constantFrom(
    'app=web',
    'app in (a,b)',
    '!app',
    'a==b,c!=d',
    'a notin (x)',
    'a>1',
    'a in ()',
    ',',
    '=',
    'a b',
    'metadata.name=a',
    'spec.nodeName=edge',
    'metadata.name in (a)',
    'x.y=z',
    '\\',
  ),
  fc.string({ maxLength: 20, unit: 'grapheme-ascii' }),
);
const values: Readonly<Record<string, fc.Arbitrary<string>>> = {
  labelSelector: selector,
  fieldSelector: selector,
  limit: fc.constantFrom('0', '1', '500', '-1', 'x', '99999999999999999999'),
  continue: fc.constantFrom('', 'abc', 'eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ', '!!'),
  resourceVersion: fc.constantFrom('', '0', 'x', '-1', '1.5'),
  resourceVersionMatch: fc.constantFrom('', 'Exact', 'NotOlderThan', 'Near'),
  sendInitialEvents: fc.constantFrom('true', 'false', 'maybe'),
  timeoutSeconds: fc.constantFrom('1', '0', 'x'),
  pretty: fc.constantFrom('true', 'x'),
  includeObject: fc.constantFrom('None', 'Object', 'Half'),
};
const names = Object.keys(values);

const query = fc
  .uniqueArray(fc.constantFrom(...names), { maxLength: 3 })
  .chain((chosen) =>
    fc.tuple(
      ...chosen.map((name) =>
        (values[name] ?? fc.constant('')).map((value) => [name, value.toWellFormed()] as const),
      ),
    ),
  )
  .map((pairs) => new URLSearchParams(Object.fromEntries(pairs)).toString());

const accept = fc.constantFrom(
  'application/json',
  '*/*',
  'application/yaml',
  'application/xml',
  'application/json;as=Table;g=meta.k8s.io;v=v1,application/json',
  'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
  'application/json;as=Nothing;g=x;v=1',
  'a;b=c;;,',
);

const headersOf = (more: Readonly<Record<string, string>>): Readonly<Record<string, string>> => ({ ...more });

/** Reads of every shape, no watches. */
export const reads: fc.Arbitrary<FuzzedRequest> = fc.record({ path, query, accept }).map((one) => ({
  method: 'GET',
  path: one.query === '' ? one.path : `${one.path}?${one.query}`,
  headers: headersOf({ accept: one.accept }),
  body: undefined,
}));

const contentType = fc.constantFrom(
  'application/json',
  'application/yaml',
  'application/xml',
  'application/vnd.kubernetes.protobuf',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
  '',
  'x',
);
const json = fc.oneof(
  fc.json({ maxDepth: 3 }),
  fc
    .json({ maxDepth: 3 })
    .map((value) => `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":${value}}`),
  fc.json({ maxDepth: 3 }).map((value) => `{"status":${value}}`),
  fc.json({ maxDepth: 3 }).map((value) => `[{"op":"replace","path":"/metadata/labels","value":${value}}]`),
  fc.constantFrom(
    '[{"op":"test","path":"/x","value":1}]',
    '[{"op":"copy"}]',
    '{',
    'a: &a [*a]',
    'k8s\u0000\n\u0002',
    '[]',
    'null',
  ),
  fc.string({ maxLength: 50 }),
);

/** Writes of every shape which would change nothing if they were right: they are dry runs. */
export const writes: fc.Arbitrary<FuzzedRequest> = fc
  .record({
    method: fc.constantFrom('POST', 'PUT', 'PATCH', 'DELETE'),
    path: resourcePath,
    contentType,
    body: json,
  })
  .map(({ method, path: at, contentType: type, body }) => ({
    method,
    path: `${at}?dryRun=All&fieldManager=fuzz&force=true`,
    headers: headersOf(type === '' ? {} : { 'content-type': type }),
    body: body.toWellFormed(),
  }));
