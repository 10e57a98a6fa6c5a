import { describe, expect, it } from 'vitest';

import type { ActiveStep } from '../apply/index.ts';
import { nowMs } from '../plan/testing.ts';
import { blocks, heldUntilMs, holdMs, holdStep, isHeld, releaseHolds } from './holds.ts';
import { createPodStates } from './state.ts';

const start = (container: string, role: 'init' | 'regular' | 'sidecar' = 'regular'): ActiveStep => ({
  kind: 'start-container',
  container,
  role,
  sandboxId: 's',
  restartCount: 0,
  endedAtMs: undefined,
});
const volumes: ActiveStep = { kind: 'prepare-volumes' };
const stop: ActiveStep = { kind: 'stop-sandbox', sandboxId: 's' };
const newState = () =>
  createPodStates({ get: () => undefined, put: () => undefined, delete: () => undefined, uids: () => [] }).of(
    'uid',
  );

describe('a step that failed', () => {
  it('is left alone for half a second, doubled up to ten', () => {
    expect([0, 1, 2, 3, 4, 5, 60].map(holdMs)).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  });

  it('is told from others of its kind', () => {
    const state = newState();
    holdStep(state, start('a'), nowMs + 1000);
    expect([start('a'), start('b'), stop].map((step) => isHeld(state, step, nowMs))).toEqual([
      true,
      false,
      false,
    ]);
    expect(isHeld(state, start('a'), nowMs + 1000)).toBe(false);
    expect(heldUntilMs(state, [start('a'), start('b')])).toBe(nowMs + 1000);
    expect(heldUntilMs(state, [stop])).toBeUndefined();
  });

  it('is tried at once when something appears that it may have lacked, unless it waits for an image', () => {
    const state = newState();
    for (const step of [volumes, start('a'), start('pulling'), stop]) holdStep(state, step, nowMs + 1000);
    state.waiting.set('pulling', { reason: 'ImagePullBackOff', message: '' });
    state.waiting.set('a', { reason: 'CreateContainerConfigError', message: '' });
    expect(releaseHolds(state)).toBe(true);
    expect([...state.holds.keys()]).toEqual(['start-container pulling', 'stop-sandbox s']);
    expect(releaseHolds(state)).toBe(false);
  });

  it('keeps what comes after it from being done, unless that does not depend on it', () => {
    const remove: ActiveStep = { kind: 'remove-container', containerId: 'c', container: 'a' };
    const steps = [volumes, stop, start('a', 'init'), start('a'), start('a', 'sidecar'), remove];
    expect(steps.map(blocks)).toEqual([true, true, true, false, false, false]);
  });
});
