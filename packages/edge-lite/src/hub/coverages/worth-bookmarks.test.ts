import type { KubeObject } from '@selvedge/kube';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TemporaryStore, createTemporaryStore } from '../../store/testing.ts';
import { createTestReplica } from '../replica/testing.ts';
import type { CoverageSpec, Replica } from '../replica/types.ts';
import { isWorthBookmarks } from './worth-bookmarks.ts';

let temporary: TemporaryStore;
let replica: Replica;
beforeEach(async () => {
  temporary = await createTemporaryStore();
  replica = createTestReplica(temporary.store);
});
afterEach(() => temporary[Symbol.asyncDispose]());

const specOf = (namespace: string, fieldSelector = ''): CoverageSpec => ({
  resource: 'v1/configmaps',
  namespace,
  labelSelector: '',
  fieldSelector,
});

function hold(spec: CoverageSpec, sizes: readonly number[]): void {
  const relist = replica.relist(replica.addCoverage(spec).id);
  const items = sizes.map(
    (size, i) =>
      ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { namespace: 'a', name: `c${i}`, uid: `u${i}`, resourceVersion: '5' },
        data: { text: 'x'.repeat(size) },
      }) as KubeObject,
  );
  relist.add(items);
  relist.commit('7');
}

describe('bookmarks are worth their bytes', () => {
  it.each([
    ['not for nothing', [], false],
    ['not for little', [1_000, 2_000], false],
    ['for much text', [20_000, 20_000], true],
    ['for many objects', Array.from({ length: 33 }, () => 10), true],
  ])('%s', (_title, sizes, worth) => {
    hold(specOf('a'), sizes);
    expect(isWorthBookmarks(replica, specOf('a'))).toBe(worth);
  });

  it('not for one small object among many', () => {
    hold(specOf(''), [100_000, 10]);
    expect(isWorthBookmarks(replica, specOf('a', 'metadata.name=c1'))).toBe(false);
    expect(isWorthBookmarks(replica, specOf('a', 'metadata.name=c0'))).toBe(true);
    expect(isWorthBookmarks(replica, specOf('b'))).toBe(false);
  });
});
