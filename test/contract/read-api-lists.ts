import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { resources } from '@selvedge/kube';
import { bytesOf } from './read-api-client.ts';
import type { Document, ReadApiCase } from './read-api-world.ts';

const namesIn = ({ items }: Document): readonly string[] => items.map(({ metadata }) => metadata.name);
const all = ['a', 'b', 'c', 'd', 'large-1', 'large-2'];
const meta = (as: string): string => `application/json;as=${as};g=meta.k8s.io;v=v1`;

const selections: readonly (readonly [query: string, names: readonly string[]])[] = [
  ['labelSelector=app%3Dweb', ['a', 'b']],
  ['labelSelector=app%3Dweb,tier', ['a']],
  ['labelSelector=app,!tier', ['b']],
  ['labelSelector=app%20in%20(db,web),tier!%3Dfront', ['b', 'c']],
  ['labelSelector=app%20notin%20(db)', ['a', 'b', 'd', 'large-1', 'large-2']],
  ['fieldSelector=metadata.name%3Db', ['b']],
  ['fieldSelector=metadata.name!%3Db,metadata.name!%3Dc&labelSelector=!large', ['a', 'd']],
  ['fieldSelector=metadata.namespace%3Dnowhere', []],
];

const refusals: readonly (readonly [query: string, expected: string])[] = [
  [
    'fieldSelector=spec.x%3D1',
    '400 BadRequest "spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
  ],
  ['limit=x', '400 BadRequest strconv.ParseInt: parsing "x": invalid syntax'],
  [
    'resourceVersion=x',
    '400 BadRequest invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax',
  ],
  [
    'resourceVersionMatch=Exact',
    '422 Invalid ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
  ],
  [
    'resourceVersion=0&resourceVersionMatch=Exact',
    '422 Invalid ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
  ],
  [
    'resourceVersion=1&resourceVersionMatch=Near',
    '422 Invalid ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Unsupported value: "Near": supported values: "Exact", "NotOlderThan", ""',
  ],
  [
    'sendInitialEvents=true',
    '422 Invalid ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list',
  ],
];

export const listCases: readonly ReadApiCase[] = [
  {
    title: 'LIST gives everything in order under one version',
    async run(client) {
      for (const query of ['', '?resourceVersion=0', '?resourceVersion=0&limit=2']) {
        const list = await client.json(`${client.base}/configmaps${query}`);
        equal(`${list.apiVersion} ${list.kind}`, 'v1 ConfigMapList');
        deepEqual(namesIn(list), all);
        match(list.metadata.resourceVersion, /^[1-9]\d*$/);
        equal(list.metadata.continue, undefined);
      }
    },
  },
  {
    title: 'LIST of nothing has empty items',
    async run(client) {
      const list = await client.json(`${client.base}/configmaps?labelSelector=no-such-label`);
      equal(list.kind, 'ConfigMapList');
      deepEqual(list.items, []);
    },
  },
  ...selections.map(
    ([query, names]): ReadApiCase => ({
      title: `LIST selects by ${decodeURIComponent(query)}`,
      async run(client) {
        for (const from of ['', '&resourceVersion=0']) {
          deepEqual(namesIn(await client.json(`${client.base}/configmaps?${query}${from}`)), names);
        }
      },
    }),
  ),
  {
    title: 'LIST selects pods by the fields that they have',
    async run(client) {
      const near = await client.json(`${client.base}/pods?fieldSelector=spec.nodeName%3Dread-api-node`);
      deepEqual(namesIn(near), ['near']);
      const wrong = await client.json(`${client.base}/pods?fieldSelector=spec.color%3Dred`);
      equal(`${wrong.code} ${wrong.message}`, '400 field label not supported: spec.color');
    },
  },
  ...refusals.map(
    ([query, expected]): ReadApiCase => ({
      title: `LIST refuses ${query}`,
      async run(client) {
        const { status, code, reason, message } = await client.json(`${client.base}/configmaps?${query}`);
        equal(`${code} ${reason} ${message}`, expected);
        equal(status, code);
      },
    }),
  ),
  {
    title: 'LIST goes on where it stopped, in the same state',
    async run(client) {
      const names: string[] = [];
      const versions = new Set<string>();
      let token = '';
      do {
        const page = await client.json(
          `${client.base}/configmaps?limit=2&continue=${encodeURIComponent(token)}`,
        );
        ok(page.items.length <= 2);
        names.push(...namesIn(page));
        versions.add(page.metadata.resourceVersion);
        token = page.metadata.continue ?? '';
      } while (token !== '');
      deepEqual(names, all);
      equal(versions.size, 1);
    },
  },
  {
    title: 'LIST shows to the end the state in which it began',
    modes: ['server', 'hub-online'],
    async run(client, { admin, namespace }) {
      const signal = AbortSignal.timeout(20_000);
      const first = await client.json(`${client.base}/configmaps?limit=5`);
      const late = { metadata: { namespace, name: 'm-late' } };
      await admin.create(resources.configMaps, late, { signal });
      const token = encodeURIComponent(first.metadata.continue ?? '');
      const second = await client.json(`${client.base}/configmaps?limit=5&continue=${token}`);
      deepEqual([...namesIn(first), ...namesIn(second)], all);
      const version = first.metadata.resourceVersion;
      const exact = `resourceVersion=${version}&resourceVersionMatch=Exact`;
      deepEqual(namesIn(await client.json(`${client.base}/configmaps?${exact}`)), all);
      await admin.delete(resources.configMaps, late.metadata, { signal });
    },
  },
  {
    title: 'LIST refuses tokens that are none, and versions beside tokens',
    async run(client) {
      const none = await client.json(`${client.base}/configmaps?continue=abc`);
      equal(none.code, 400);
      match(none.message, /^invalid continue token: continue key is not valid/);
      const page = await client.json(`${client.base}/configmaps?limit=1`);
      const token = encodeURIComponent(page.metadata.continue ?? '');
      const both = await client.json(`${client.base}/configmaps?continue=${token}&resourceVersion=5`);
      equal(
        `${both.code} ${both.message}`,
        '400 specifying resource version is not allowed when using continue',
      );
    },
  },
  {
    title: 'LIST gives a table with as much of the objects as is asked for',
    async run(client) {
      const table = (query: string): Promise<Document> =>
        client.json(`${client.base}/configmaps?labelSelector=app&${query}`, meta('Table'));
      const usual = await table('');
      equal(usual.kind, 'Table');
      deepEqual(
        usual.rows.map(({ cells }) => cells[0]),
        ['a', 'b', 'c'],
      );
      equal(usual.rows[0]?.object?.kind, 'PartialObjectMetadata');
      match(usual.metadata.resourceVersion, /^[1-9]\d*$/);
      equal((await table('includeObject=None')).rows[0]?.object, null);
      equal((await table('includeObject=Object')).rows[0]?.object?.kind, 'ConfigMap');
      const wrong = await table('includeObject=Half');
      equal(wrong.code, 400);
      match(wrong.message, /^Unable to convert to Table as requested: includeObject: Invalid value: "Half"/);
    },
  },
  {
    title: 'LIST gives only metadata when asked',
    async run(client) {
      const list = await client.json(`${client.base}/configmaps`, meta('PartialObjectMetadataList'));
      equal(`${list.apiVersion} ${list.kind}`, 'meta.k8s.io/v1 PartialObjectMetadataList');
      deepEqual(namesIn(list), all);
      equal(list.items[0]?.kind, 'PartialObjectMetadata');
      equal(list.items[0]?.data, undefined);
    },
  },
  {
    title: 'LIST is compressed when it is large and the client takes it',
    async run(client) {
      const headers = { 'accept-encoding': 'gzip' };
      const large = await client.send(`${client.base}/configmaps`, 'application/json', headers);
      equal(large.headers['content-encoding'], 'gzip');
      const list = JSON.parse((await bytesOf(large)).toString('utf8')) as Document;
      deepEqual(namesIn(list), all);
      const small = await client.send(
        `${client.base}/configmaps?labelSelector=app`,
        'application/json',
        headers,
      );
      equal(small.headers['content-encoding'], undefined);
      await bytesOf(small);
      const plain = await client.send(`${client.base}/configmaps`, 'application/json');
      equal(plain.headers['content-encoding'], undefined);
      await bytesOf(plain);
    },
  },
];
