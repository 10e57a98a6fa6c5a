import { describe, expect, it } from 'vitest';
import type { Container } from './containers.ts';
import type { PodContainer, PodSight } from './pods.ts';
import { type ContainersBefore, compareContainers, rememberPods } from './restarts.ts';

const nowMs = Date.parse('2026-01-01T12:00:00Z');
const running = (name: string, ...ids: readonly string[]): PodContainer => ({
  name,
  ids,
  isRunning: true,
  isDone: false,
});
const pod = (uid: string, containers: readonly PodContainer[], more: Partial<PodSight> = {}): PodSight => ({
  namespace: 'shop',
  name: `till-${uid}`,
  uid,
  isDeleted: false,
  isOver: false,
  isReady: true,
  labels: {},
  containers,
  ...more,
});
const container = (id: string, uid: string, started = 100): Container => ({ id, pod: uid, started });

const pods = [pod('1', [running('app', 'a')]), pod('2', [running('proxy', 'p')])];
const before: ContainersBefore = {
  containers: [container('s1', '1'), container('a', '1'), container('s2', '2'), container('p', '2')],
  ...rememberPods(pods, { nowMs, isMeant: ({ uid }) => uid === '2' }),
};

interface Row {
  readonly what: string;
  readonly containers: readonly Container[];
  readonly pods: readonly PodSight[];
  readonly restarted?: readonly string[];
  readonly left?: readonly string[];
}

const rest = before.containers.filter(({ id }) => id !== 'a');
const again = [...rest, container('b', '1', 200)];

const rows: readonly Row[] = [
  { what: 'all run on', containers: before.containers, pods },
  { what: 'others came', containers: [...before.containers, container('x', '9')], pods },
  {
    what: 'one was started again',
    containers: again,
    pods: [pod('1', [running('app', 'b', 'a')])],
    restarted: ['shop/till-1 (app)'],
  },
  {
    what: 'one has the same id and another start',
    containers: [...rest, container('a', '1', 200)],
    pods,
    restarted: ['shop/till-1 (app)'],
  },
  {
    what: 'a sandbox was made anew',
    containers: before.containers.filter(({ id }) => id !== 's1'),
    pods,
    restarted: ['shop/till-1 (its sandbox)'],
  },
  {
    what: 'one was started again on purpose',
    containers: before.containers.filter((one) => one.pod !== '2'),
    pods: pods.slice(0, 1),
  },
  { what: 'a pod was deleted', containers: rest, pods: pods.slice(1), left: ['shop/till-1: deleted'] },
  {
    what: 'a pod is being deleted',
    containers: rest,
    pods: [pod('1', [running('app', 'a')], { isDeleted: true })],
    left: ['shop/till-1: deleted'],
  },
  {
    what: 'a job ended',
    containers: rest,
    pods: [pod('1', [{ ...running('app', 'a'), isRunning: false, isDone: true }], { isOver: true })],
    left: ['shop/till-1: ended'],
  },
];

describe('containers before and after', () => {
  it.each(rows)('where $what', ({ containers, pods: now, restarted = [], left = [] }) => {
    expect(compareContainers(before, { containers, pods: now })).toMatchObject({
      restarted,
      left,
      before: 2,
    });
  });

  it.each([
    [1, { left: ['shop/till-1: restarts by itself'], restarted: [] }],
    [11, { left: [], restarted: ['shop/till-1 (app)'] }],
  ])('of a pod that restarted %i minutes before tell of it what is likely', (minutes, expected) => {
    const crashed = pod('1', [{ ...running('app', 'a'), endedMs: nowMs - minutes * 60_000 }]);
    const unsteady = { ...before, ...rememberPods([crashed], { nowMs, isMeant: () => false }), meant: ['2'] };
    const after = { containers: again, pods: [pod('1', [running('app', 'b', 'a')])] };
    expect(compareContainers(unsteady, after)).toMatchObject(expected);
  });
});
