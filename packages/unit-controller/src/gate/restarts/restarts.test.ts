import { createIndexedStore } from '@selvedge/kube';
import type { Pod } from '@selvedge/kube/types';
import { describe, expect, test } from 'vitest';
import { type ClonePod, keptClonePod } from './clone-pod.ts';
import { clonePodIndexers, restartsOf } from './restarts.ts';

const status = (name: string, restartCount: number) => ({
  name,
  restartCount,
  image: 'till:2',
  imageID: '',
  ready: true,
});

const creationTimestamp = '2026-05-04T00:00:00Z';
const sinceMs = Date.parse(creationTimestamp);

function podOf(name: string, template: string, more: Partial<Pod> = {}): Pod {
  const { metadata, ...rest } = more;
  const labels = {
    'selvedge.io/unit-app': 'till',
    'selvedge.io/unit': 'shop-1',
    'selvedge.io/pod-template': template,
    app: 'till',
  };
  return {
    metadata: {
      name,
      namespace: 'shops',
      uid: name,
      resourceVersion: '1',
      labels,
      creationTimestamp,
      ...metadata,
    },
    spec: { containers: [] },
    status: { containerStatuses: [status('till', 2)] },
    ...rest,
  };
}

/** As a reflector fills it. */
function storeOf(pods: readonly Pod[]) {
  const store = createIndexedStore<ClonePod>({
    indexers: clonePodIndexers,
    keep: keptClonePod,
  });
  store.replace(pods, '1');
  return store;
}

const clone = { namespace: 'shops', app: 'till', unit: 'shop-1', template: 'new', sinceMs };

describe('restarts', () => {
  test('are those of containers, init containers and sidecars, of all pods of the template', () => {
    const whole = {
      initContainerStatuses: [status('migrate', 1), status('proxy', 4)],
      containerStatuses: [status('till', 2), status('printer', 0)],
      ephemeralContainerStatuses: [status('debugger', 9)],
    };
    const pods = [podOf('a', 'new', { status: whole }), podOf('b', 'new'), podOf('c', 'new', { status: {} })];
    expect(restartsOf(storeOf(pods), clone)).toBe(9);
  });

  test('of another template, unit, UnitApp or namespace are not among them', () => {
    const elsewhere = { metadata: { namespace: 'plants' } };
    const store = storeOf([podOf('a', 'new'), podOf('b', 'old'), podOf('c', 'new', elsewhere)]);
    expect(restartsOf(store, clone)).toBe(2);
    expect(restartsOf(store, { ...clone, template: 'old' })).toBe(2);
    expect(restartsOf(store, { ...clone, namespace: 'plants' })).toBe(2);
    for (const other of [{ unit: 'shop-2' }, { app: 'scales' }, { template: '' }]) {
      expect(restartsOf(store, { ...clone, ...other })).toBe(0);
    }
  });

  test('of a pod that is older than the revision are not among them', () => {
    const store = storeOf([podOf('a', 'new')]);
    expect([sinceMs, sinceMs + 1_000].map((ms) => restartsOf(store, { ...clone, sinceMs: ms }))).toEqual([
      2, 0,
    ]);
  });

  test('go with their pod', () => {
    const store = storeOf([podOf('a', 'new')]);
    store.apply([{ type: 'DELETED', object: podOf('a', 'new') }], '2');
    expect(restartsOf(store, clone)).toBe(0);
  });

  test('of a pod without a status or labels are none', () => {
    const bare = { metadata: { name: 'a', namespace: 'shops' } };
    expect(keptClonePod(bare)).toMatchObject({ restarts: 0 });
  });

  test('leave nothing else of a pod in memory', () => {
    const pod = podOf('a', 'new', {
      spec: { containers: [{ name: 'till', image: 'till:2' }], nodeName: 'till-1a' },
    });
    expect(keptClonePod(pod)).toEqual({
      metadata: {
        name: 'a',
        namespace: 'shops',
        uid: 'a',
        resourceVersion: '1',
        creationTimestamp,
        labels: {
          'selvedge.io/unit-app': 'till',
          'selvedge.io/unit': 'shop-1',
          'selvedge.io/pod-template': 'new',
        },
      },
      restarts: 2,
    });
  });
});
