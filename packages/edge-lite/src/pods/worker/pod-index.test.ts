import type { Pod } from '@selvedge/kube/types';
import { describe, expect, it } from 'vitest';

import { podOf } from '../plan/testing.ts';
import type { Lookup, ObjectRef } from '../ports.ts';
import { createPodIndex } from './pod-index.ts';

function world(synced = true) {
  const pods = new Map<string, Pod>();
  const get = <T>({ name }: ObjectRef): Lookup<T> => {
    const object: unknown = pods.get(name);
    return object === undefined ? { kind: 'unknown' } : { kind: 'present', object: object as T };
  };
  const nothing = { [Symbol.dispose]: () => undefined };
  const index = createPodIndex({
    get,
    list: () => [...pods.values()] as never[],
    synced: () => synced,
    subscribe: () => nothing,
    follow: () => nothing,
  });
  const ref = { resource: 'pods', namespace: 'shop', name: 'web' } as const;
  const set = (uid: string | undefined): readonly string[] => {
    if (uid === undefined) pods.delete('web');
    else pods.set('web', podOf({}, { uid }));
    return index.changed(ref);
  };
  return { index, pods, set };
}

describe('the pods of the node by uid', () => {
  it('are found, also those that were there before any change', () => {
    const { index, pods } = world();
    pods.set('web', podOf());
    expect(index.find('uid-web')).toMatchObject({ kind: 'present' });
    expect(index.uids()).toEqual(['uid-web']);
  });

  it('are gone only once it is known what is there', () => {
    expect(world(false).index.find('uid-web')).toEqual({ kind: 'unknown' });
    expect(world(true).index.find('uid-web')).toEqual({ kind: 'gone' });
  });

  it('change with their object, and with one of the same name that follows it', () => {
    const { index, set } = world();
    expect(set('first')).toEqual(['first']);
    expect(set('second')).toEqual(['first', 'second']);
    expect(index.find('first')).toEqual({ kind: 'gone' });
    expect(set(undefined)).toEqual(['second']);
    expect(index.uids()).toEqual([]);
  });
});
