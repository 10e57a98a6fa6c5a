import { cloudReachable } from '@selvedge/api';
import type { Node } from '@selvedge/kube/types';
import { describe, expect, it } from 'vitest';
import type { Connectivity } from '../upstream/types.ts';
import { createCloudConditionView } from './cloud-condition.ts';
import { conditionOf, withCondition } from './condition.ts';

const offline: Connectivity = { kind: 'offline', sinceMs: 1_000, reason: 'silent for 8 s' };
const online: Connectivity = { kind: 'online', sinceMs: 2_000, server: '10.0.0.1:6443' };
const ready = { type: 'Ready', status: 'True' };
const node: Node = { metadata: { name: 'shop-7' }, status: { conditions: [ready] } };

describe('the condition of the Node', () => {
  it('is none before anything is known', () => {
    expect(conditionOf({ kind: 'connecting', sinceMs: 0 })).toBeUndefined();
  });

  it('says since when and why the cloud is away', () => {
    expect(conditionOf(offline)).toEqual({
      type: cloudReachable,
      status: 'False',
      reason: 'Offline',
      message: 'the node is autonomous: silent for 8 s',
      lastTransitionTime: '1970-01-01T00:00:01Z',
    });
    expect(conditionOf(online)).toMatchObject({ status: 'True', reason: 'Online' });
  });

  it('is added once, replaced in its place, and leaves the others alone', () => {
    const [away, back] = [conditionOf(offline), conditionOf(online)];
    if (away === undefined || back === undefined) throw new Error('no condition');
    const first = withCondition(node, away) as Node;
    expect(first.status?.conditions).toEqual([ready, away]);
    expect(withCondition(first, { ...away, lastTransitionTime: '1970-01-01T00:00:09Z' })).toBe(first);
    expect((withCondition(first, back) as Node).status?.conditions).toEqual([ready, back]);
  });
});

describe('the Node as it is shown while the cloud is away', () => {
  it('says for the whole cut why it began, and tells nobody of further reasons', () => {
    let connectivity: Connectivity = online;
    const listeners = new Set<(now: Connectivity) => void>();
    const view = createCloudConditionView(
      { nodeName: 'shop-7' },
      {
        upstream: {
          get connectivity() {
            return connectivity;
          },
          onConnectivity(listener) {
            listeners.add(listener);
            return { [Symbol.dispose]: () => void listeners.delete(listener) };
          },
        },
      },
    );
    let told = 0;
    using listening = view.onChange?.(() => (told += 1));
    const move = (next: Connectivity): Node => {
      connectivity = next;
      for (const listener of listeners) listener(next);
      return view.apply('v1/nodes', { ...node, metadata: { name: 'shop-7' } });
    };
    const first = move(offline);
    expect(move({ ...offline, reason: 'refused' })).toEqual(first);
    expect(move({ ...offline, reason: 'no route' })).toEqual(first);
    expect(told).toBe(1);
    expect(move(online)).toEqual(node);
    expect(told).toBe(2);
    const later = move({ kind: 'offline', sinceMs: 9_000, reason: 'no route' });
    expect(later.status?.conditions).toContainEqual(
      expect.objectContaining({ message: 'the node is autonomous: no route' }),
    );
  });
});
