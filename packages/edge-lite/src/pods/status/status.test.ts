import type { Pod, PodStatus } from '@selvedge/kube/types';
import { describe, expect, it } from 'vitest';

import { containerOf, observedOf, podOf, running, sandboxOf } from '../plan/testing.ts';
import { alone, at, conditionOf, earlier, first, runs, statusOf } from './testing.ts';

describe('a new pod', () => {
  it('is pending while its container is created', () => {
    const condition = (type: string, status: string, more = {}) => ({
      type,
      status,
      ...more,
      lastTransitionTime: at,
      observedGeneration: 1,
    });
    const unready = { reason: 'ContainersNotReady', message: 'containers with unready status: [main]' };
    expect(statusOf()).toEqual({
      observedGeneration: 1,
      phase: 'Pending',
      conditions: [
        condition('PodReadyToStartContainers', 'False'),
        condition('Initialized', 'True'),
        condition('Ready', 'False', unready),
        condition('ContainersReady', 'False', unready),
        condition('PodScheduled', 'True'),
      ],
      hostIP: '192.0.2.10',
      hostIPs: [{ ip: '192.0.2.10' }],
      startTime: at,
      qosClass: 'BestEffort',
      containerStatuses: [
        {
          name: 'main',
          image: 'busybox',
          imageID: '',
          ready: false,
          restartCount: 0,
          started: false,
          lastState: {},
          state: { waiting: { reason: 'ContainerCreating' } },
        },
      ],
    });
  });

  it('has its address as soon as its sandbox has', () => {
    const status = statusOf({ observed: alone });
    expect([status.podIP, status.podIPs]).toEqual(['10.0.0.7', [{ ip: '10.0.0.7' }]]);
    expect(conditionOf(status, 'PodReadyToStartContainers')?.status).toBe('True');
  });

  it('shows why a container does not start', () => {
    const waiting = new Map([['main', { reason: 'ErrImagePull', message: 'no such image' }]]);
    const { state } = first(statusOf({ observed: alone, waiting }));
    expect(state).toEqual({ waiting: { reason: 'ErrImagePull', message: 'no such image' } });
  });
});

describe('a pod that runs', () => {
  it('is ready with its container, which tells what it runs', () => {
    const status = statusOf({ observed: runs });
    expect(status.phase).toBe('Running');
    expect(first(status)).toEqual({
      name: 'main',
      image: 'docker.io/library/busybox:latest',
      imageID: 'sha256:1',
      containerID: 'containerd://main-0',
      ready: true,
      restartCount: 0,
      started: true,
      lastState: {},
      state: { running: { startedAt: '2026-01-01T11:59:30Z' } },
      resources: {},
    });
    expect(conditionOf(status, 'Ready')).toEqual({
      type: 'Ready',
      status: 'True',
      lastTransitionTime: at,
      observedGeneration: 1,
    });
  });

  it('keeps times while nothing changes', () => {
    const previous = earlier({ observed: runs });
    expect(statusOf({ observed: runs, previous })).toEqual(previous);
  });

  it('moves the time of a condition with its status only', () => {
    const previous = earlier({ observed: alone });
    const status = statusOf({ observed: runs, previous });
    const times = ['Ready', 'Initialized'].map((type) => conditionOf(status, type)?.lastTransitionTime);
    expect(times).toEqual([at, '2026-01-01T11:59:00Z']);
    expect(status.startTime).toBe('2026-01-01T11:59:00Z');
  });

  it.each([
    ['before a verdict', {}, [true, false]],
    ['while it is not ready', { readiness: false }, [true, false]],
    ['when it is ready', { readiness: true }, [true, true]],
    ['while it starts', { startup: false, readiness: true }, [false, false]],
  ])('takes its readiness from probes: %s', (_, verdict, wanted) => {
    const probes = { readinessProbe: {}, ...('startup' in verdict ? { startupProbe: {} } : {}) };
    const pod = podOf({ containers: [{ name: 'main', ...probes }] });
    const { started, ready } = first(
      statusOf({ pod, observed: runs, verdicts: new Map([['main-0', verdict]]) }),
    );
    expect([started, ready]).toEqual(wanted);
  });

  it('takes addresses of both families, that of the node first', () => {
    const observed = observedOf([sandboxOf({ ips: ['fd00::7', '10.0.0.7', '10.0.0.8'] })]);
    expect(statusOf({ observed }).podIPs).toEqual([{ ip: '10.0.0.7' }, { ip: 'fd00::7' }]);
    const v6 = statusOf({ observed, hostIPs: ['fd00::1'] });
    expect(v6.podIPs).toEqual([{ ip: 'fd00::7' }, { ip: '10.0.0.7' }]);
  });

  it("has the node's addresses with the host's network", () => {
    const pod = podOf({ hostNetwork: true });
    const observed = observedOf([sandboxOf({ hostNetwork: true, ips: [] })]);
    expect(statusOf({ pod, observed }).podIP).toBe('192.0.2.10');
  });

  it('tells read-only mounts, users and resources of its containers', () => {
    const mounts = [
      { name: 'data', mountPath: '/data' },
      { name: 'config', mountPath: '/config', readOnly: true },
    ];
    const resources = { requests: { cpu: '100m' }, limits: { cpu: '200m' } };
    const pod = podOf({ containers: [{ name: 'main', volumeMounts: mounts, resources }] });
    const user = { uid: 1000, gid: 50, groups: [50] };
    const observed = observedOf([sandboxOf()], [containerOf('main', running, { user })]);
    expect(first(statusOf({ pod, observed }))).toMatchObject({
      allocatedResources: { cpu: '100m' },
      resources,
      user: { linux: { uid: 1000, gid: 50, supplementalGroups: [50] } },
      volumeMounts: [
        { name: 'data', mountPath: '/data' },
        { name: 'config', mountPath: '/config', readOnly: true, recursiveReadOnly: 'Disabled' },
      ],
    });
  });
});

describe('conditions of others', () => {
  const gated = (conditions: NonNullable<PodStatus['conditions']>): Pod => ({
    ...podOf({ readinessGates: [{ conditionType: 'shop/open' }] }),
    status: { conditions },
  });

  it('are kept', () => {
    const pod = gated([{ type: 'shop/open', status: 'True' }]);
    const status = statusOf({ pod, observed: runs });
    expect(status.conditions?.[0]).toEqual({ type: 'shop/open', status: 'True' });
    expect(conditionOf(status, 'Ready')?.status).toBe('True');
  });

  it.each([
    ['absent', [], 'corresponding condition of pod readiness gate "shop/open" does not exist.'],
    [
      'false',
      [{ type: 'shop/open', status: 'False' }],
      'the status of pod readiness gate "shop/open" is not "True", but False',
    ],
  ])('that gate readiness keep a pod from being ready while %s', (_, conditions, message) => {
    const status = statusOf({ pod: gated(conditions), observed: runs });
    expect(conditionOf(status, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ReadinessGatesNotReady',
      message,
    });
    expect(conditionOf(status, 'ContainersReady')?.status).toBe('True');
  });
});
