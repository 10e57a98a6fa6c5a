import type { KubeObject } from '@selvedge/kube';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTemporaryStore, type TemporaryStore } from '../../store/testing.ts';
import { parseRequestInfo, type ResourceRequest } from '../request-info/index.ts';
import type { Caller } from '../request.ts';
import { createPointEntries, type PointEntries, type PointEntriesOptions } from './points.ts';

const callerOf = (username: string, uid?: string): Caller => ({
  kind: 'node',
  user: { username, groups: [], ...(uid === undefined ? {} : { uid }) },
});
const me = callerOf('me');

function about(name: string, path = 'persistentvolumes'): ResourceRequest {
  const info = parseRequestInfo('GET', `/api/v1/${path}/${name}`, new URLSearchParams());
  if (info.kind === 'resource') return info;
  throw new TypeError(path);
}

const volume = (name: string, resourceVersion = '1', spec = {}): KubeObject & { readonly spec: object } => ({
  metadata: { name, resourceVersion },
  spec,
});

let store: TemporaryStore;
let held: boolean;
const open = (options: Partial<PointEntriesOptions> = {}): PointEntries =>
  createPointEntries({ nodeName: 'shop-7', ...options }, { runtime: store.store.runtime, held: () => held });

beforeEach(async () => {
  store = await createTemporaryStore();
  held = false;
});
afterEach(() => store[Symbol.asyncDispose]());

describe('objects that somebody read one by one', () => {
  it('are his alone, after a restart too', async () => {
    open().remember(about('a'), me, volume('a'));
    await store.reopen();
    const points = open();
    expect(JSON.parse(points.recall(about('a'), me.user) ?? '')).toEqual(volume('a'));
    expect(points.hasRead(about('a'), me.user)).toBe(true);
    for (const other of [callerOf('you'), callerOf('me', 'another uid')]) {
      expect(points.recall(about('a'), other.user)).toBeUndefined();
      expect(points.hasRead(about('a'), other.user)).toBe(false);
    }
    expect(points.recall(about('b'), me.user)).toBeUndefined();
    expect(points.recall(about('a', 'nodes'), me.user)).toBeUndefined();
  });

  it('are forgotten with the right to them', () => {
    const points = open();
    points.remember(about('a'), me, volume('a'));
    points.forget(about('a'), me.user);
    expect(points.recall(about('a'), me.user)).toBeUndefined();
    expect(open().hasRead(about('a'), me.user)).toBe(false);
  });

  it('are forgotten, the longest unused first, when there are too many', () => {
    const points = open({ maxEntries: 2 });
    for (const name of ['a', 'b']) points.remember(about(name), me, volume(name));
    expect(points.recall(about('a'), me.user)).toBeDefined();
    points.remember(about('c'), me, volume('c'));
    expect(points.recall(about('b'), me.user)).toBeUndefined();
    expect(points.recall(about('a'), me.user)).toBeDefined();
    expect(open().recall(about('b'), me.user)).toBeUndefined();
  });

  it('of one user are not pushed out by those of another, nor the ones of the node by anybody', async () => {
    const limits = { maxEntries: 4, maxEntriesPerUser: 2 };
    const node = callerOf('system:node:shop-7');
    const fill = (points: PointEntries): void => {
      for (const name of ['a', 'b', 'c']) points.remember(about(name), node, volume(name));
      points.remember(about('a'), me, volume('a'));
      for (let at = 0; at < 20; at += 1) {
        for (const user of ['x', 'y', 'z']) {
          points.remember(about(`${user}${at}`), callerOf(user), volume(`${user}${at}`));
        }
      }
    };
    fill(open(limits));
    await store.reopen();
    const points = open(limits);
    for (const name of ['a', 'b', 'c']) expect(points.recall(about(name), node.user)).toBeDefined();
    expect(points.recall(about('a'), me.user)).toBeDefined();
    expect(points.recall(about('x0'), callerOf('x').user)).toBeUndefined();
    expect(points.recall(about('z19'), callerOf('z').user)).toBeDefined();
  });

  it('are written again only when more than the version changed', () => {
    const points = open();
    points.remember(about('a'), me, volume('a', '1'));
    points.remember(about('a'), me, volume('a', '2'));
    expect(points.recall(about('a'), me.user)).toContain('"resourceVersion":"1"');
    points.remember(about('a'), me, volume('a', '3', { size: 1 }));
    expect(points.recall(about('a'), me.user)).toContain('"resourceVersion":"3"');
  });

  it('leave out what is too large, comes all the time, or is no whole object', () => {
    const points = open({ maxObjectLength: 100 });
    points.remember(about('a'), me, volume('a', '1', { text: 'x'.repeat(200) }));
    points.remember(about('b', 'events'), me, volume('b'));
    points.remember(about('c'), me, { ...volume('c'), kind: 'PartialObjectMetadata' });
    points.remember({ ...about('d'), subresource: 'status' }, me, volume('d'));
    for (const one of [about('a'), about('b', 'events'), about('c'), about('d')]) {
      expect(points.recall(one, me.user)).toBeUndefined();
    }
  });

  it('leave the object to the coverage that holds it, and keep the right', () => {
    held = true;
    const points = open();
    points.remember(about('a'), me, volume('a'));
    expect(points.recall(about('a'), me.user)).toBeUndefined();
    expect(points.hasRead(about('a'), me.user)).toBe(true);
  });
});
