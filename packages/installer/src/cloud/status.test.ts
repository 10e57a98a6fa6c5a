import { SelvedgeError } from '@selvedge/kit';
import type { KubeClient } from '@selvedge/kube';
import { expect, test } from 'vitest';
import { egressConfigFile, egressFlag } from './egress/manifest.ts';
import { createReading } from '../reading/index.ts';
import { cloudStatus } from './status.ts';

const { signal } = new AbortController();

const apiServer = (nodeName: string, flags: readonly string[]): object => ({
  spec: { nodeName, containers: [{ name: 'kube-apiserver', command: ['kube-apiserver', ...flags] }] },
});
const pods = [
  apiServer('c1', [`${egressFlag}=${egressConfigFile}`]),
  apiServer('c2', []),
  apiServer('c3', []),
];

const clusterWith = (inventory: object): KubeClient =>
  ({
    get: async (_resource: object, { name }: { readonly name: string }) => {
      if (name !== 'selvedge-install') throw new SelvedgeError('not found', { code: 'NotFound' });
      return { metadata: { name }, data: { 'inventory.json': JSON.stringify(inventory) } };
    },
    listAll: async () => ({ items: pods }),
  }) as unknown as KubeClient;

const machine = (name: string): object => ({ kind: 'machine', phase: 'egress', name, addresses: [] });
const inventory = {
  version: '1.2.3',
  mode: 'unit',
  complete: true,
  tunnelServers: ['tunnel.example.com:443'],
  entries: [machine('c1'), machine('c2')],
};

test.each([
  ['that lost it, and one that joined since', inventory, ['c2', 'c3']],
  ['of none while a run is not finished', { ...inventory, complete: false }, []],
  ['of none with a Deployment, which they do not go through', { ...inventory, mode: 'deployment' }, []],
])('tells which API servers do not go through cloud-manager: %s', async (_which, found, unwired) => {
  expect(await cloudStatus(createReading({ cluster: clusterWith(found), signal }))).toMatchObject({
    kind: 'installed',
    unwired,
  });
});
