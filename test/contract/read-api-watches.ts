import { deepEqual, equal, match } from 'node:assert/strict';
import { mergePatch, resources } from '@selvedge/kube';
import type { ReadApiCase, ReadApiClient, ReadEvent } from './read-api-world.ts';

const meta = (as: string): string => `application/json;as=${as};g=meta.k8s.io;v=v1`;
const lines = (events: readonly ReadEvent[]): readonly string[] =>
  events.map(({ type, object }) => `${type} ${object.metadata?.name ?? ''}`.trim());
const initialEvents = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
const marked = ({ object }: ReadEvent): string | undefined =>
  object.metadata.annotations?.['k8s.io/initial-events-end'];

async function versionNow(client: ReadApiClient): Promise<string> {
  return (await client.json(`${client.base}/configmaps`)).metadata.resourceVersion;
}

export const watchCases: readonly ReadApiCase[] = [
  {
    title: 'WATCH begins with what is there and ends after its time',
    async run(client) {
      for (const from of ['', '&resourceVersion=0', `&${initialEvents}`]) {
        const path = `${client.base}/configmaps?watch=true&labelSelector=app&timeoutSeconds=1${from}`;
        deepEqual(lines(await client.take(path, 9)), ['ADDED a', 'ADDED b', 'ADDED c']);
      }
    },
  },
  {
    title: 'WATCH marks the end of the initial events with a bookmark',
    async run(client) {
      for (const from of [initialEvents, `${initialEvents}&resourceVersion=0`, '', 'resourceVersion=0']) {
        const query = `watch=true&labelSelector=tier&timeoutSeconds=5&allowWatchBookmarks=true&${from}`;
        const events = await client.take(`${client.base}/configmaps?${query}`, 3);
        deepEqual(lines(events), ['ADDED a', 'ADDED c', 'BOOKMARK']);
        const [, , bookmark] = events;
        equal(bookmark && marked(bookmark), 'true');
        equal(bookmark?.object.kind, 'ConfigMap');
        match(bookmark?.object.metadata.resourceVersion ?? '', /^[1-9]\d*$/);
      }
    },
  },
  {
    title: 'WATCH without initial events says nothing of what was there before',
    async run(client) {
      const now = 'sendInitialEvents=false&resourceVersionMatch=NotOlderThan';
      for (const from of [`resourceVersion=${await versionNow(client)}`, now]) {
        const path = `${client.base}/configmaps?watch=true&timeoutSeconds=1&${from}`;
        deepEqual(lines(await client.take(path, 1)), []);
      }
    },
  },
  {
    title: 'WATCH goes on from a list and shows each change once, by its selection',
    modes: ['server', 'hub-online'],
    async run(client, { admin, namespace }) {
      const signal = AbortSignal.timeout(20_000);
      const version = await versionNow(client);
      const at = { namespace, name: 'z-watched' };
      const relabel = (phase: string): Promise<unknown> =>
        admin.patch(resources.configMaps, at, {
          signal,
          patch: mergePatch({ metadata: { labels: { phase } } }),
        });
      await admin.create(resources.configMaps, { metadata: { ...at, labels: { phase: 'one' } } }, { signal });
      await relabel('two');
      await relabel('one');
      await admin.delete(resources.configMaps, at, { signal });
      const path = `${client.base}/configmaps?watch=true&timeoutSeconds=10&resourceVersion=${version}`;
      const every = ['ADDED z-watched', 'MODIFIED z-watched', 'MODIFIED z-watched', 'DELETED z-watched'];
      const events = await client.take(path, 4);
      deepEqual(lines(events), every);
      const versions = events.map(({ object }) => BigInt(object.metadata.resourceVersion));
      deepEqual(
        versions,
        versions.toSorted((a, b) => (a < b ? -1 : 1)),
      );
      equal(new Set(versions).size, 4);
      const some = await client.take(`${path}&labelSelector=phase%3Done`, 4);
      deepEqual(lines(some), [
        'ADDED z-watched',
        'DELETED z-watched',
        'ADDED z-watched',
        'DELETED z-watched',
      ]);
      equal(some[1]?.object.metadata.labels?.['phase'], 'one');
      deepEqual(
        some.map(({ object }) => object.metadata.resourceVersion),
        events.map(({ object }) => object.metadata.resourceVersion),
      );
    },
  },
  {
    title: 'WATCH keeps to one object by its name, in the path too',
    async run(client, { namespace }) {
      const byField = `${client.base}/configmaps?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3Db`;
      deepEqual(lines(await client.take(byField, 2)), ['ADDED b']);
      const byPath = `/api/v1/watch/namespaces/${namespace}/configmaps/b?timeoutSeconds=1`;
      deepEqual(lines(await client.take(byPath, 2)), ['ADDED b']);
    },
  },
  {
    title: 'WATCH writes tables, the columns in the first one only',
    async run(client) {
      const path = `${client.base}/configmaps?watch=true&timeoutSeconds=1&labelSelector=app`;
      const tables = (await client.take(path, 2, meta('Table'))).map(({ object }) => object);
      deepEqual(
        tables.map(({ kind }) => kind),
        ['Table', 'Table'],
      );
      deepEqual(
        tables.map(({ columnDefinitions }) => columnDefinitions?.[0]?.name),
        ['Name', undefined],
      );
      deepEqual(
        tables.map(({ rows }) => rows.map(({ cells, object }) => `${String(cells[0])} ${object?.kind}`)),
        [['a PartialObjectMetadata'], ['b PartialObjectMetadata']],
      );
    },
  },
  {
    title: 'WATCH writes only metadata when asked, of bookmarks too',
    async run(client) {
      const query = `watch=true&timeoutSeconds=5&labelSelector=tier&allowWatchBookmarks=true&${initialEvents}`;
      const events = await client.take(
        `${client.base}/configmaps?${query}`,
        3,
        meta('PartialObjectMetadata'),
      );
      deepEqual(lines(events), ['ADDED a', 'ADDED c', 'BOOKMARK']);
      for (const { object } of events) {
        equal(`${object.apiVersion} ${object.kind}`, 'meta.k8s.io/v1 PartialObjectMetadata');
        equal(object.data, undefined);
      }
    },
  },
  {
    title: 'WATCH refuses what makes no sense before it begins',
    async run(client) {
      const refusal = async (query: string): Promise<string> => {
        const { status, code, reason, message } = await client.json(
          `${client.base}/configmaps?watch=true&${query}`,
        );
        equal(status, code);
        return `${code} ${reason} ${message}`;
      };
      const prefix = '422 Invalid ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: ';
      equal(
        await refusal('sendInitialEvents=true'),
        `${prefix}sendInitialEvents requires setting resourceVersionMatch to NotOlderThan`,
      );
      equal(
        await refusal('resourceVersion=5&resourceVersionMatch=NotOlderThan'),
        `${prefix}resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided`,
      );
      match(
        await refusal('fieldSelector=spec.x%3D1'),
        /^400 BadRequest "spec.x" is not a known field selector/,
      );
    },
  },
  {
    title: 'WATCH from a version that nobody can know any more is told to begin anew',
    modes: ['hub-online', 'hub-offline'],
    async run(client) {
      const [event] = await client.take(`${client.base}/configmaps?watch=true&resourceVersion=1`, 1);
      equal(event?.type, 'ERROR');
      equal(`${event?.object.code} ${event?.object.reason}`, '410 Expired');
    },
  },
];
