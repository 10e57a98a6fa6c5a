import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { bytesOf } from './read-api-client.ts';
import type { ReadApiCase } from './read-api-world.ts';

const meta = (as: string, version = 'v1'): string => `application/json;as=${as};g=meta.k8s.io;v=${version}`;

export const getCases: readonly ReadApiCase[] = [
  {
    title: 'GET gives one object with its kind and version',
    async run(client) {
      for (const query of ['', '?resourceVersion=0']) {
        const object = await client.json(`${client.base}/configmaps/a${query}`);
        equal(object.status, 200);
        equal(`${object.apiVersion} ${object.kind}`, 'v1 ConfigMap');
        deepEqual(object.data, { name: 'a' });
        match(object.metadata.resourceVersion, /^[1-9]\d*$/);
      }
    },
  },
  {
    title: 'GET takes JSON whatever else the client would rather have',
    async run(client) {
      const accept = 'application/vnd.kubernetes.protobuf;q=0.5,application/json';
      const answer = await client.send(`${client.base}/configmaps/a`, accept);
      equal(answer.headers['content-type'], 'application/json');
      equal((await bytesOf(answer)).subarray(0, 1).toString(), '{');
    },
  },
  {
    title: 'GET of what is not there is a NotFound Status',
    async run(client) {
      const { status, kind, code, reason, message, details } = await client.json(
        `${client.base}/configmaps/none`,
      );
      deepEqual(
        { status, kind, code, reason, message, details },
        {
          status: 404,
          kind: 'Status',
          code: 404,
          reason: 'NotFound',
          message: 'configmaps "none" not found',
          details: { name: 'none', kind: 'configmaps' },
        },
      );
    },
  },
  {
    title: 'GET gives only metadata when asked',
    async run(client) {
      for (const version of ['v1', 'v1beta1']) {
        const object = await client.json(
          `${client.base}/configmaps/a`,
          meta('PartialObjectMetadata', version),
        );
        equal(`${object.apiVersion} ${object.kind}`, `meta.k8s.io/${version} PartialObjectMetadata`);
        equal(object.metadata.name, 'a');
        equal(object.data, undefined);
      }
    },
  },
  {
    title: 'GET gives a table when asked, in the first form that the client names',
    async run(client) {
      const accept = `${meta('Table')},${meta('Table', 'v1beta1')},application/json`;
      const table = await client.json(`${client.base}/configmaps/a`, accept);
      equal(`${table.apiVersion} ${table.kind}`, 'meta.k8s.io/v1 Table');
      equal(table.columnDefinitions?.[0]?.name, 'Name');
      equal(table.rows.length, 1);
      equal(table.rows[0]?.cells[0], 'a');
      equal(table.rows[0]?.object?.kind, 'PartialObjectMetadata');
    },
  },
  {
    title: 'GET gives YAML when asked',
    async run(client) {
      const answer = await client.send(`${client.base}/configmaps/a`, 'application/yaml');
      equal(answer.headers['content-type'], 'application/yaml');
      ok((await bytesOf(answer)).includes('kind: ConfigMap'));
    },
  },
  {
    title: 'what cannot be written as asked is 406',
    async run(client) {
      const list = meta('PartialObjectMetadataList');
      equal((await client.send(`${client.base}/configmaps/a`, list)).status, 406);
      equal((await client.send(`${client.base}/configmaps`, meta('PartialObjectMetadata'))).status, 406);
      equal((await client.send(`${client.base}/configmaps`, 'application/xml')).status, 406);
      equal((await client.send(`${client.base}/configmaps`, meta('Table', 'v9'))).status, 406);
    },
  },
  {
    title: 'discovery, version and health are there',
    async run(client) {
      const core = (await client.json('/api/v1')) as unknown as {
        groupVersion: string;
        resources: { name: string }[];
      };
      equal(core.groupVersion, 'v1');
      ok(core.resources.some(({ name }) => name === 'pods/status'));
      const groups = (await client.json('/apis')) as unknown as { groups: { name: string }[] };
      ok(groups.groups.some(({ name }) => name === 'apps'));
      const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
      equal((await client.json('/apis', accept)).kind, 'APIGroupDiscoveryList');
      const version = (await client.json('/version')) as unknown as { gitVersion: string };
      match(version.gitVersion, /^v1\./);
      for (const path of ['/healthz', '/livez', '/readyz']) {
        equal((await bytesOf(await client.send(path))).toString(), 'ok');
      }
    },
  },
];
