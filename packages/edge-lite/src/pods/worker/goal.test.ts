import type { Pod } from '@selvedge/kube/types';
import { describe, expect, it } from 'vitest';

import { nowMs, podOf } from '../plan/testing.ts';
import { deadlineMs, goalOf } from './goal.ts';
import type { SavedPod } from './saved.ts';

const verdict = { reason: 'OutOfcpu', message: 'no room' };
const calm = { halt: undefined, endingSinceMs: undefined, nowMs };
const halt = { sinceMs: nowMs - 1000, graceSeconds: 20 };
const deleted = podOf({}, { deletionTimestamp: '2026-01-01T12:00:30Z', deletionGracePeriodSeconds: 30 });
const failed: Pod = { ...podOf(), status: { phase: 'Failed' } };

describe('the goal of a pod', () => {
  it.each<[string, Pod | undefined, SavedPod, object]>([
    ['is to run', podOf(), {}, { kind: 'run' }],
    ['is to leave no trace once it is gone', undefined, {}, { kind: 'remove', ending: { spentMs: 0 } }],
    [
      'is to leave no trace when it is deleted, within its grace',
      deleted,
      {},
      { kind: 'remove', ending: { spentMs: 0, graceSeconds: 30 } },
    ],
    ['is to stop when it is over', podOf(), { status: { phase: 'Succeeded' } }, { kind: 'stop' }],
    ['is to stop when the API says that it is over', failed, {}, { kind: 'stop' }],
    ['is to stop when it may not run', podOf(), { verdict }, { kind: 'stop' }],
  ])('%s', (_, pod, saved, wanted) => {
    expect(goalOf({ pod, saved, ...calm })).toMatchObject(wanted);
  });

  it('counts its grace from when its end began here', () => {
    const goal = goalOf({ pod: deleted, saved: {}, ...calm, endingSinceMs: nowMs - 9000 });
    expect(goal).toEqual({ kind: 'remove', ending: { spentMs: 9000, graceSeconds: 30 } });
  });

  it.each([
    [5, 5],
    [60, 20],
  ])('is to halt with the machine, within the shorter grace: of %i s, %i s', (own, graceSeconds) => {
    const pod = podOf({ terminationGracePeriodSeconds: own });
    expect(goalOf({ pod, saved: {}, ...calm, halt })).toEqual({
      kind: 'halt',
      ending: { spentMs: 1000, graceSeconds },
    });
    expect(goalOf({ pod: deleted, saved: {}, ...calm, halt }).kind).toBe('remove');
  });
});

describe('the deadline of a pod', () => {
  const pod = podOf({ activeDeadlineSeconds: 60 });
  const startTime = '2026-01-01T12:00:00Z';
  it('counts from its start as it was reported', () => {
    expect(deadlineMs(pod, { status: { startTime } })).toBe(nowMs + 60_000);
    expect(deadlineMs({ ...pod, status: { startTime } }, {})).toBe(nowMs + 60_000);
  });
  it('is none before it has started, and none if it has none', () => {
    expect([deadlineMs(pod, {}), deadlineMs(podOf(), { status: { startTime } })]).toEqual([
      undefined,
      undefined,
    ]);
  });
});
