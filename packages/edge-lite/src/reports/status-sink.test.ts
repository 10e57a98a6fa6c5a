import { SelvedgeError, createMetricsRegistry } from '@selvedge/kit';
import { type ManualClock, createManualClock, recordingLogger, seededRandom } from '@selvedge/kit/testing';
import {
  type DeleteOptions,
  type KubeObject,
  type ObjectRef,
  type Resource,
  createKubeMetrics,
} from '@selvedge/kube';
import type { Pod, PodStatus } from '@selvedge/kube/types';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Lookup, ObjectRef as SourceRef } from '../pods/index.ts';
import { type PodStatusSink, type StatusSinkDeps, createStatusSink } from './status-sink.ts';

const ref = { namespace: 'default', name: 'web', uid: 'u1' };
const podOf = (status: PodStatus, more: object = {}): Pod => ({
  metadata: { namespace: 'default', name: 'web', uid: 'u1', resourceVersion: '1', ...more },
  spec: { containers: [] },
  status,
});

let clock: ManualClock;
/** The pod at the API server. */
let pod: Pod | undefined;
/** The pod as the replica has it. */
let held: Lookup<Pod>;
let patches: PodStatus[];
let deletes: DeleteOptions[];
let failures: SelvedgeError[];
let listeners: ((ref: SourceRef) => void)[];
let sink: PodStatusSink;

const fail = (): void => {
  const failure = failures.shift();
  if (failure !== undefined) throw failure;
};

const client: StatusSinkDeps['client'] = {
  get: async <T extends KubeObject>() => {
    fail();
    if (pod === undefined) throw new SelvedgeError('gone', { code: 'NotFound' });
    return pod as KubeObject as T;
  },
  patch: async <T extends KubeObject>(
    _resource: Resource<T>,
    _at: ObjectRef,
    { patch }: { readonly patch: { readonly body: unknown } },
  ) => {
    fail();
    if (pod === undefined) throw new SelvedgeError('gone', { code: 'NotFound' });
    const { metadata, status } = patch.body as Pod;
    if (metadata.uid !== pod.metadata.uid) throw new SelvedgeError('uid', { code: 'Conflict' });
    patches.push(status ?? {});
    const resourceVersion = String(Number(pod.metadata.resourceVersion) + 1);
    pod = { ...pod, metadata: { ...pod.metadata, resourceVersion }, status: { ...pod.status, ...status } };
    return pod as KubeObject as T;
  },
  list: (async () => {
    fail();
    return { apiVersion: 'v1', kind: 'PodList', metadata: {}, items: pod === undefined ? [] : [pod] };
  }) as unknown as StatusSinkDeps['client']['list'],
  delete: async (_resource, _at, options) => {
    fail();
    deletes.push(options);
    pod = undefined;
  },
};

const signal = new AbortController().signal;
const changed = async (): Promise<void> => {
  for (const listener of listeners) listener({ resource: 'pods', namespace: 'default', name: 'web' });
  await clock.advance(0);
};
const see = (seen: Pod | undefined): Promise<void> => {
  held = seen === undefined ? { kind: 'absent' } : { kind: 'present', object: seen };
  return changed();
};

const log = recordingLogger();

beforeEach(async () => {
  log.lines.splice(0);
  clock = createManualClock();
  pod = podOf({ phase: 'Pending' });
  held = { kind: 'present', object: pod };
  [patches, deletes, failures, listeners] = [[], [], [], []];
  const metrics = createMetricsRegistry();
  const add = (_resource: string, listener: (changedRef: SourceRef) => void): Disposable => {
    listeners.push(listener);
    return { [Symbol.dispose]: () => listeners.splice(0) };
  };
  sink = createStatusSink(
    { nodeName: 'edge', maxPods: 2 },
    {
      client,
      source: { get: <T>() => held as Lookup<T>, subscribe: add },
      clock,
      random: seededRandom(1),
      log,
      metrics,
      kubeMetrics: createKubeMetrics(metrics),
    },
  );
  await sink.start(signal);
});

afterEach(async () => {
  await sink.stop();
  expect(clock.sleepers).toBe(0);
});

test('a status is patched once, also while the replica lags behind', async () => {
  sink.put(ref, { phase: 'Running' });
  await clock.advance(0);
  sink.put(ref, { phase: 'Running' });
  await changed();
  expect(patches).toEqual([{ phase: 'Running' }]);
});

test('of several statuses the last one is delivered', async () => {
  sink.put(ref, { phase: 'Running', message: 'one' });
  sink.put(ref, { phase: 'Running', message: 'two' });
  await clock.advance(0);
  expect(pod?.status?.message).toBe('two');
  expect(patches).toHaveLength(1);
});

test('what fails is tried again until it is delivered', async () => {
  failures.push(...Array.from({ length: 3 }, () => new SelvedgeError('cut', { code: 'Unavailable' })));
  sink.put(ref, { phase: 'Running' });
  await clock.advance(0);
  expect(patches).toEqual([]);
  await clock.advance(10_000);
  expect(patches).toHaveLength(1);
});

test('a status that somebody else overwrites is put right', async () => {
  sink.put(ref, { phase: 'Running', message: 'mine' });
  await clock.advance(0);
  pod = podOf({ phase: 'Running', message: 'theirs' }, { resourceVersion: '9' });
  await see(pod);
  expect(patches.at(-1)).toEqual({ message: 'mine' });
});

test('a terminated pod is deleted only when that was asked for, after its end is shown', async () => {
  sink.terminated(ref, { phase: 'Succeeded' });
  await clock.advance(0);
  expect([patches.length, deletes.length]).toEqual([1, 0]);
  pod = podOf({ phase: 'Succeeded' }, { resourceVersion: '9', deletionTimestamp: '2026-01-01T00:00:00Z' });
  await see(pod);
  expect(deletes).toEqual([expect.objectContaining({ gracePeriodSeconds: 0, preconditions: { uid: 'u1' } })]);
});

test('the final status goes before the deletion', async () => {
  pod = podOf({ phase: 'Running' }, { deletionTimestamp: '2026-01-01T00:00:00Z' });
  held = { kind: 'present', object: pod };
  sink.terminated(ref, { phase: 'Failed', reason: 'Killed' });
  await clock.advance(0);
  expect(patches).toEqual([{ phase: 'Failed', reason: 'Killed' }]);
  expect(deletes).toHaveLength(1);
  await see(undefined);
  await clock.advance(60_000);
  expect(patches).toHaveLength(1);
});

test('a pod that is not over is not deleted', async () => {
  pod = podOf({ phase: 'Running' }, { deletionTimestamp: '2026-01-01T00:00:00Z' });
  held = { kind: 'present', object: pod };
  sink.put(ref, { phase: 'Running', message: 'ending' });
  await clock.advance(0);
  sink.terminated(ref, { phase: 'Running' });
  await clock.advance(0);
  expect(deletes).toEqual([]);
});

test('another pod of the same name is never touched', async () => {
  pod = podOf({ phase: 'Pending' }, { uid: 'u2', deletionTimestamp: '2026-01-01T00:00:00Z' });
  held = { kind: 'unknown' };
  sink.terminated(ref, { phase: 'Failed' });
  await clock.advance(0);
  held = { kind: 'present', object: podOf({ phase: 'Pending' }) };
  sink.terminated(ref, { phase: 'Failed' });
  await clock.advance(60_000);
  expect([patches, deletes]).toEqual([[], []]);
});

test('a pod that is gone is forgotten', async () => {
  pod = undefined;
  sink.put(ref, { phase: 'Running' });
  await clock.advance(0);
  expect(clock.sleepers).toBeLessThanOrEqual(1);
  sink.put({ ...ref, uid: 'u3' }, { phase: 'Running' });
  sink.put({ ...ref, uid: 'u4' }, { phase: 'Running' });
  await clock.advance(60_000);
  expect(patches).toEqual([]);
});

const refused = (): SelvedgeError => new SelvedgeError('no relationship found', { code: 'Forbidden' });

test('a pod that is gone is refused, as the API server does, and nothing to warn of', async () => {
  pod = undefined;
  failures.push(refused(), refused());
  sink.put(ref, { phase: 'Running' });
  await clock.advance(60_000);
  expect(failures).toEqual([]);
  expect(log.lines.map(({ level }) => level)).toEqual(['debug']);
});

test('a refusal of a pod that is there is told, and tried again', async () => {
  failures.push(refused(), refused());
  sink.put(ref, { phase: 'Running' });
  await clock.advance(60_000);
  expect(patches).toEqual([{ phase: 'Running' }]);
  expect(log.lines.some(({ level }) => level === 'warn')).toBe(true);
});
