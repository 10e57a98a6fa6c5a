import { SelvedgeError } from '@selvedge/kit';
import type { KubeClient, KubeObject } from '@selvedge/kube';
import { expect, test } from 'vitest';
import { newClusterInfo } from '../../token/cluster-info.ts';
import {
  bindingOf,
  clusterInfoObject,
  joinRights,
  readersBinding,
  readersRole,
} from '../../token/join-rights.ts';
import type { CloudDeps } from '../types.ts';
import { planCloudUndo } from './plan.ts';
import { undoCloud } from './undo.ts';

const { signal } = new AbortController();

interface Asked {
  readonly plural: string;
}

/** Has what `token create` makes, and one binding of somebody else. */
function clusterWithTokens(): { readonly cluster: KubeClient; readonly names: () => readonly string[] } {
  const theirs = { metadata: { name: 'theirs' } };
  const store = new Map<string, readonly KubeObject[]>([
    ['clusterrolebindings', [...joinRights.map(bindingOf), theirs]],
    ['configmaps', [clusterInfoObject(newClusterInfo('https://a:6443', 'PEM'))]],
    ['roles', [readersRole]],
    ['rolebindings', [readersBinding]],
  ]);
  const of = ({ plural }: Asked): readonly KubeObject[] =>
    (store.get(plural) ?? []).map(({ metadata }) => ({
      metadata: { ...metadata, uid: `${plural} ${metadata.name ?? ''}` },
    }));
  const cluster = {
    get: () => Promise.reject(new SelvedgeError('not found', { code: 'NotFound' })),
    listAll(asked: Asked, { labelSelector = '' }) {
      const [key = '', value] = labelSelector.split('=');
      const items = of(asked).filter(({ metadata }) => metadata.labels?.[key] === value);
      return Promise.resolve({ items });
    },
    delete(asked: Asked, _at: object, { preconditions }: { preconditions: { uid: string } }) {
      const left = of(asked).filter(({ metadata }) => metadata.uid !== preconditions.uid);
      store.set(asked.plural, left);
      return Promise.resolve();
    },
  };
  return {
    cluster: cluster as unknown as KubeClient,
    names: () => [...store.values()].flat().map(({ metadata }) => metadata.name ?? ''),
  };
}

test('what token create made where no inventory was is taken back, and nothing of others', async () => {
  const { cluster, names } = clusterWithTokens();
  const plan = await planCloudUndo({ keepData: false }, { cluster, signal });
  const whats = plan.parts.flatMap(({ changes }) => changes.map(({ what }) => what));
  expect(whats).toHaveLength(6);
  expect(whats).toContain('delete ConfigMap kube-public/cluster-info');
  const progress: CloudDeps['progress'] = { task: (_title, work) => work(progress), note: () => undefined };
  await undoCloud(plan, { cluster, signal, progress } as unknown as CloudDeps);
  expect(names()).toEqual(['theirs']);
  expect(await planCloudUndo({ keepData: false }, { cluster, signal })).toMatchObject({ isDone: true });
});
