import { describe, expect, it } from 'vitest';

import { containerOf, exited, named, observedOf, podOf, running, sandboxOf } from '../plan/testing.ts';
import { alone, at, conditionOf, earlier, first, runs, statusOf, stopped } from './testing.ts';

describe('a container that ended', () => {
  const crashed = observedOf([sandboxOf()], [containerOf('main', exited(1), { restartCount: 2 })]);

  it('tells how', () => {
    expect(first(statusOf({ observed: crashed })).state?.terminated).toEqual({
      exitCode: 1,
      reason: 'Error',
      startedAt: '2026-01-01T11:59:58Z',
      finishedAt: '2026-01-01T11:59:59Z',
      containerID: 'containerd://main-0',
    });
    expect(statusOf({ observed: crashed }).phase).toBe('Running');
  });

  it('shows its back-off, and its end as the last state', () => {
    const message = 'back-off 10s restarting failed container=main pod=web_shop(uid-web)';
    const waiting = new Map([['main', { reason: 'CrashLoopBackOff', message }]]);
    const status = statusOf({ observed: crashed, waiting });
    expect(first(status)).toMatchObject({
      state: { waiting: { reason: 'CrashLoopBackOff', message } },
      lastState: { terminated: { exitCode: 1 } },
      restartCount: 2,
      ready: false,
    });
    expect([status.phase, conditionOf(status, 'Ready')?.status]).toEqual(['Running', 'False']);
  });

  it('is the last state of the one that runs now', () => {
    const now = containerOf('main', running, { id: 'main-1', restartCount: 3 });
    const observed = observedOf([sandboxOf()], [now, ...crashed.containers]);
    const { lastState, restartCount } = first(statusOf({ observed }));
    expect([lastState?.terminated?.exitCode, restartCount]).toEqual([1, 3]);
  });

  it('stays the last state when the runtime has forgotten it', () => {
    const previous = earlier({ observed: crashed });
    const now = containerOf('main', running, { id: 'main-1', restartCount: 3 });
    const { lastState } = first(statusOf({ observed: observedOf([sandboxOf()], [now]), previous }));
    expect(lastState?.terminated?.containerID).toBe('containerd://main-0');
  });

  it('cuts messages that would fill the status', () => {
    const long = { ...exited(1), message: 'ä'.repeat(10_000) };
    const observed = observedOf([sandboxOf()], [containerOf('main', long)]);
    const message = first(statusOf({ observed })).state?.terminated?.message ?? '';
    expect([Buffer.byteLength(message), message.at(-1)]).toEqual([12 * 1024, 'ä']);
  });

  it('and that vanished while it ran is known to have ended', () => {
    const previous = earlier({ observed: runs });
    expect(first(statusOf({ observed: alone, previous }))).toMatchObject({
      restartCount: 1,
      state: { waiting: { reason: 'ContainerCreating' } },
      lastState: { terminated: { reason: 'ContainerStatusUnknown', exitCode: 137 } },
    });
  });
});

describe('init containers', () => {
  const pod = podOf({ initContainers: named('one', 'two') });

  it('keep the pod pending', () => {
    const observed = observedOf([sandboxOf()], [containerOf('one', running)]);
    const status = statusOf({ pod, observed });
    expect(status.phase).toBe('Pending');
    expect(conditionOf(status, 'Initialized')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotInitialized',
      message: 'containers with incomplete status: [one two]',
    });
    expect(first(status).state).toEqual({ waiting: { reason: 'PodInitializing' } });
    expect(status.initContainerStatuses?.map(({ name, started }) => [name, started])).toEqual([
      ['one', true],
      ['two', false],
    ]);
  });

  it('that succeeded are ready', () => {
    const inits = [containerOf('two', exited(0)), containerOf('one', exited(0))];
    const observed = observedOf([sandboxOf()], [containerOf('main', running), ...inits]);
    const status = statusOf({ pod, observed });
    expect(status.phase).toBe('Running');
    expect(conditionOf(status, 'Initialized')?.status).toBe('True');
    expect(status.initContainerStatuses?.map(({ ready }) => ready)).toEqual([true, true]);
  });

  it('that are gone have succeeded if the pod got past them', () => {
    const status = statusOf({ pod, observed: runs });
    expect(status.initContainerStatuses?.map(({ state }) => state?.terminated?.reason)).toEqual([
      'Completed',
      'Completed',
    ]);
  });

  it('fail a pod that must not restart', () => {
    const once = podOf({ initContainers: named('one'), restartPolicy: 'Never' });
    const observed = observedOf([stopped], [containerOf('one', exited(3))]);
    expect(statusOf({ pod: once, observed }).phase).toBe('Failed');
  });

  it('that go on as sidecars count with the others', () => {
    const side = { name: 'side', image: 'busybox', restartPolicy: 'Always', readinessProbe: {} };
    const observed = observedOf([sandboxOf()], [containerOf('main', running), containerOf('side', running)]);
    const status = statusOf({ pod: podOf({ initContainers: [side] }), observed });
    expect(conditionOf(status, 'ContainersReady')?.message).toBe('containers with unready status: [side]');
  });
});

describe('the end of a pod', () => {
  const over = (...codes: readonly number[]) =>
    observedOf(
      [stopped],
      codes.map((code, index) => containerOf(`c${index}`, exited(code))),
    );
  it.each([
    ['Never', [0, 0], 'Succeeded'],
    ['Never', [0, 1], 'Failed'],
    ['OnFailure', [0, 0], 'Succeeded'],
    ['OnFailure', [0, 1], 'Running'],
    ['Always', [0, 0], 'Running'],
  ])('with %s and exit codes %j: %s', (restartPolicy, codes, phase) => {
    const pod = podOf({ restartPolicy, containers: named('c0', 'c1') });
    expect(statusOf({ pod, observed: over(...codes) }).phase).toBe(phase);
  });

  it('is told when the sandbox is down, with the address that it had', () => {
    const pod = podOf({ restartPolicy: 'Never' });
    const containers = [containerOf('main', exited(0))];
    const up = statusOf({
      pod,
      observed: observedOf([sandboxOf()], containers),
      previous: earlier({ observed: runs }),
    });
    const down = statusOf({ pod, observed: observedOf([stopped], containers), previous: up });
    expect([up.phase, up.podIP, down.phase, down.podIP]).toEqual([
      'Running',
      '10.0.0.7',
      'Succeeded',
      '10.0.0.7',
    ]);
    expect(conditionOf(down, 'PodReadyToStartContainers')?.status).toBe('False');
  });

  it('is final', () => {
    const pod = podOf({ restartPolicy: 'Never', containers: named('c0') });
    const previous = earlier({ pod, observed: over(1) });
    const status = statusOf({ pod, observed: observedOf([]), previous });
    expect([status.phase, first(status).state?.terminated?.exitCode]).toEqual(['Failed', 1]);
    expect(conditionOf(status, 'Ready')).toMatchObject({ status: 'False', reason: 'PodFailed' });
  });

  it('says nothing of containers if the pod was refused', () => {
    const verdict = { reason: 'UnsupportedPod', message: 'spec.volumes[0].nfs' };
    const status = statusOf({ verdict, ended: true });
    expect(status).toMatchObject({ phase: 'Failed', ...verdict });
    expect(status.containerStatuses).toBeUndefined();
    expect(statusOf({ verdict, ended: true, previous: status }).containerStatuses).toBeUndefined();
  });

  it('is not told while something still runs', () => {
    const verdict = { reason: 'DeadlineExceeded', message: 'too late' };
    const previous = earlier({ observed: runs });
    const still = statusOf({ observed: runs, previous, verdict });
    expect([still.phase, still.reason]).toEqual(['Running', undefined]);
    const ended = observedOf([stopped], [containerOf('main', exited(137))]);
    expect(statusOf({ observed: ended, previous, verdict, ended: true })).toMatchObject({
      phase: 'Failed',
      reason: 'DeadlineExceeded',
      message: 'too late',
    });
  });

  it('by deletion is a failure unless all succeeded, whatever the restart policy says', () => {
    const pod = podOf({}, { deletionTimestamp: at });
    const phase = (code: number) =>
      statusOf({
        pod,
        ended: true,
        observed: observedOf([stopped], [containerOf('main', exited(code))]),
      });
    expect([phase(0).phase, phase(137).phase]).toEqual(['Succeeded', 'Failed']);
  });

  it('accounts for containers that are gone', () => {
    const pod = podOf({}, { deletionTimestamp: at });
    const previous = earlier({ observed: runs });
    const status = statusOf({ pod, previous, ended: true });
    expect([status.phase, status.podIP]).toEqual(['Failed', '10.0.0.7']);
    expect(first(status).state?.terminated).toMatchObject({
      reason: 'ContainerStatusUnknown',
      exitCode: 137,
    });
  });

  it('that somebody else caused carries a condition', () => {
    const disruption = { reason: 'TerminationByKubelet', message: 'the node shuts down' };
    const verdict = { reason: 'Terminated', message: 'the node shuts down', disruption };
    const status = statusOf({ verdict, ended: true });
    expect(conditionOf(status, 'DisruptionTarget')).toMatchObject({ status: 'True', ...disruption });
  });
});
