import { systemClock } from '@selvedge/kit';
import { seededRandom } from '@selvedge/kit/testing';
import { createIndexedStore, createReflector, resources } from '@selvedge/kube';
import type { ConfigMap } from '@selvedge/kube/types';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PrivateControlPlane } from '../bed/control-plane/private-control-plane.ts';
import { waitFor } from '../bed/wait.ts';
import { connect, startControlPlane } from './kube-world.ts';

const { signal } = new AbortController();
const { configMaps } = resources;

let controlPlane: PrivateControlPlane;
beforeAll(async () => {
  controlPlane = await startControlPlane({ apiServerFlags: ['--feature-gates=WatchList=false'] });
});
afterAll(() => controlPlane?.stop());

it('lists in pages, then watches, where the API server has no streaming lists', async () => {
  await using world = await connect(controlPlane.kubeconfig);
  const write = (name: string): Promise<ConfigMap> =>
    world.client.create(configMaps, { metadata: { namespace: 'default', name } }, { signal });
  for (const name of ['a', 'b', 'c', 'd', 'e']) await write(name);
  const store = createIndexedStore<ConfigMap>();
  const reflector = createReflector(
    { resource: configMaps, namespace: 'default', pageSize: 2 },
    { ...world, store, clock: systemClock, random: seededRandom(1) },
  );
  await reflector.start(signal);
  await reflector.whenSynced(signal);
  await write('f');
  const all = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `default/${name}`);
  await waitFor({ what: 'the new object' }, systemClock, async () => store.get('default/f') !== undefined);
  expect([...store.keys()].toSorted()).toEqual(all);
  expect(world.registry.render()).toContain(
    'selvedge_kube_lists_total{resource="configmaps",kind="paged"} 1\n',
  );
  await reflector.stop();
});
