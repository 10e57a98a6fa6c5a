import type { Pod } from '@selvedge/kube/types';
import { describe, expect, it } from 'vitest';
import { containerInstance } from './container-instance.ts';

type Status = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number];

const instance = (status: Partial<Status>, previous = false): string => {
  const containerStatuses = [{ name: 'c', image: '', imageID: '', ready: false, restartCount: 0, ...status }];
  return containerInstance({ metadata: { name: 'p' }, status: { containerStatuses } }, 'c', previous);
};
const running = { running: { startedAt: '2026-01-02T03:04:05Z' } };
const terminated = (containerID?: string): NonNullable<Status['state']> => ({
  terminated: { exitCode: 1, ...(containerID === undefined ? {} : { containerID }) },
});
const waiting = (reason: string): NonNullable<Status['state']> => ({ waiting: { reason } });

describe('the instance of which the log is', () => {
  it.each<[string, Partial<Status>, boolean, string]>([
    ['runs', { state: running, containerID: 'containerd://1' }, false, '1'],
    ['has ended', { state: terminated('containerd://1') }, false, '1'],
    ['could not start again', { state: terminated(), lastState: terminated('containerd://0') }, false, '0'],
    ['waits', { state: waiting('CrashLoopBackOff'), lastState: terminated('containerd://0') }, false, '0'],
    ['ran before', { state: running, containerID: 'x://1', lastState: terminated('x://0') }, true, '0'],
  ])('%s', (_, status, previous, id) => {
    expect(instance(status, previous)).toBe(id);
  });

  it.each<[Partial<Status>, boolean, string]>([
    [{ state: waiting('ContainerCreating') }, false, 'is waiting to start: ContainerCreating'],
    [{ state: waiting('ErrImagePull') }, false, "is waiting to start: image can't be pulled"],
    [{ state: waiting('ImagePullBackOff') }, false, 'is waiting to start: trying and failing to pull image'],
    [{}, false, 'is waiting to start - no logs yet'],
    [{ state: terminated() }, false, 'is terminated'],
  ])('is none: %j', (status, previous, text) => {
    expect(() => instance(status, previous)).toThrow(`container "c" in pod "p" ${text}`);
  });

  it('is none before the first restart, or of a container without a status', () => {
    expect(() => instance({ state: running, containerID: 'x://1' }, true)).toThrow(
      'previous terminated container "c" in pod "p" not found',
    );
    expect(() => containerInstance({ metadata: { name: 'p' } }, 'c', false)).toThrow(
      'container "c" in pod "p" is not available',
    );
  });
});
