import { SelvedgeError, createLimiter, createMetricsRegistry, silentLogger } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import { createKubeMetrics } from '@selvedge/kube';
import type { Pod, PodStatus } from '@selvedge/kube/types';
import { describe, expect, it } from 'vitest';

import type { ContainerRecord, PodObserved } from '../../runtime/index.ts';
import type { ApplyDeps } from '../apply/index.ts';
import { containerOf, nowMs, observedOf, podOf, running, sandboxOf } from '../plan/testing.ts';
import type { ProbeTarget } from '../probes/index.ts';
import { containerHash } from '../spec/index.ts';
import { memoryObjects, recordedEvents } from '../testing.ts';
import { createPodMetrics } from './metrics.ts';
import { createPods } from './pods.ts';
import type { SavedPod, SavedPods } from './saved.ts';

const { signal } = new AbortController();
const ref = { resource: 'pods', namespace: 'shop', name: 'web' } as const;
const unused = (): never => {
  throw new Error('not expected');
};

/** A pod that runs since before this process; a process takes over what another one saved on the same `disk`. */
function world(given: { pod?: Pod; disk?: Map<string, SavedPod>; maxParallelPods?: number } = {}) {
  const { pod = podOf(), disk = new Map<string, SavedPod>(), maxParallelPods = 20 } = given;
  const clock = createManualClock();
  const objects = memoryObjects();
  const puts: PodStatus[] = [];
  const stops: number[] = [];
  const probed: ProbeTarget[] = [];
  const now = {
    observed: observedOf([sandboxOf()]),
    removed: false,
    down: 0,
    asking: 0,
    mostAsking: 0,
    wallShiftMs: 0,
  };
  clock.now = () => nowMs + clock.monotonicMs() + now.wallShiftMs;
  const hash = containerHash(pod.spec?.containers[0] ?? unused());
  const runs = (more: Partial<ContainerRecord> = {}): void => {
    now.observed = observedOf([sandboxOf()], [containerOf('main', running, { hash, ...more })]);
  };
  runs();
  const saved: SavedPods = {
    get: (uid) => disk.get(uid),
    put: (uid, document) => void disk.set(uid, document),
    delete: (uid) => void disk.delete(uid),
    uids: () => [...disk.keys()],
  };
  const nothing = async (): Promise<void> => undefined;
  const answer = async (uid: string, stop: AbortSignal): Promise<PodObserved> => {
    now.asking += 1;
    now.mostAsking = Math.max(now.mostAsking, now.asking);
    await clock.sleep(1, stop).finally(() => (now.asking -= 1));
    return { ...now.observed, uid };
  };
  const recorder = recordedEvents();
  const runtimeCalls = {
    stopContainer: async ({ graceSeconds }: { readonly graceSeconds: number }) => {
      stops.push(graceSeconds);
      throw new SelvedgeError('no', { code: 'Unavailable' });
    },
  } as Partial<ApplyDeps['runtime']> as ApplyDeps['runtime'];
  const health = {
    kind: 'up',
    version: { name: 'containerd', version: '2.4.2' },
    runtime: { ready: true, reason: '', message: '' },
    network: { ready: true, reason: '', message: '' },
  } as const;
  const subscription = (): Disposable => ({ [Symbol.dispose]: () => undefined });
  const metrics = createMetricsRegistry();
  const pods = createPods(
    { maxParallelPods, maxParallelLooks: 2, resyncMs: 60_000, sweepMs: 60_000 },
    {
      clock,
      source: objects,
      saved,
      random: () => 0.5,
      log: silentLogger,
      events: recorder,
      metrics: createPodMetrics(metrics),
      queueMetrics: createKubeMetrics(metrics),
      sink: { put: (_, status) => void puts.push(status), terminated: () => undefined },
      runtime: {
        health,
        onHealth: subscription,
        onPod: subscription,
        observe: ({ uid }, stop) => answer(uid, stop),
        observeAll: async () => {
          now.down -= 1;
          if (now.down >= 0) throw new SelvedgeError('busy', { code: 'ResourceExhausted' });
          return [now.observed];
        },
      },
      prober: {
        watch: (target) => (probed.push(target), subscription()),
        results: () => ({}),
        subscribe: subscription,
        quiet: () => undefined,
      },
      hostIPs: () => ['192.0.2.10'],
      nodeRemoved: () => now.removed,
      admit: () => undefined,
      leftovers: async () => [],
      forget: nothing,
      apply: {
        clock,
        log: silentLogger,
        events: recorder,
        starts: createLimiter({ capacity: 1 }),
        runtime: runtimeCalls,
        volumes: { prepare: nothing, remove: nothing },
        cgroups: { ensure: nothing, remove: nothing },
        hooks: { postStart: nothing, preStop: nothing },
        images: { ensure: unused, forget: () => undefined },
        builder: { sandbox: unused, containerConfig: unused, pullSecrets: unused },
        logs: {
          prepare: nothing,
          link: nothing,
          removeContainer: nothing,
          removePod: nothing,
          uids: async () => [],
        },
      },
    },
  );
  objects.put('pods', pod);
  return { clock, disk, metrics, now, objects, pod, pods, probed, puts, runs, stops };
}

const readyOf = (status: PodStatus | undefined): string | undefined =>
  status?.conditions?.find(({ type }) => type === 'Ready')?.status;
const deleted = { deletionTimestamp: '2026-01-01T12:00:30Z', deletionGracePeriodSeconds: 30 };

describe('a status', () => {
  it('that an earlier process saved is reported again: nobody knows whether it was delivered', async () => {
    const before = world();
    await before.pods.start(signal);
    await before.clock.advance(100);
    await before.pods.stop();
    expect(readyOf(before.puts.at(-1))).toBe('True');
    const after = world({ disk: before.disk });
    await after.pods.start(signal);
    await after.clock.advance(100);
    expect(after.puts.at(-1)).toEqual(before.puts.at(-1));
    await after.pods.stop();
  });

  it('is reported again when the pod changes, so that what somebody else wrote is put right', async () => {
    const { clock, objects, pod, pods, puts } = world();
    await pods.start(signal);
    await clock.advance(100);
    const count = puts.length;
    objects.put('pods', { ...pod, status: { conditions: [{ type: 'Ready', status: 'False' }] } });
    await clock.advance(100);
    expect(puts.slice(count).map(readyOf)).toEqual(['True']);
    await pods.stop();
  });
});

describe('a pod that is gone from the API', () => {
  it('is left alone while its Node is deleted, and ends otherwise', async () => {
    const { clock, now, objects, pod, pods, stops } = world();
    await pods.start(signal);
    await clock.advance(100);
    now.removed = true;
    const failed = { ...pod, status: { phase: 'Failed' } };
    objects.put('pods', failed);
    await clock.advance(100);
    // So a deletion without grace shows before it is done.
    const gracelessly = { ...deleted, deletionGracePeriodSeconds: 0 };
    objects.put('pods', { ...failed, metadata: { ...pod.metadata, ...gracelessly } });
    await clock.advance(100);
    objects.remove(ref);
    await clock.advance(200_000);
    expect(stops).toEqual([]);
    now.removed = false;
    await clock.advance(200_000);
    expect(stops.length).toBeGreaterThan(0);
    await pods.stop();
  });

  it('ends while its Node is deleted if somebody deleted it too', async () => {
    const { clock, now, objects, pods, stops } = world();
    await pods.start(signal);
    await clock.advance(100);
    now.removed = true;
    objects.put('pods', podOf({}, deleted));
    await clock.advance(100);
    const before = stops.length;
    expect(before).toBeGreaterThan(0);
    // The cluster does not wait for it.
    objects.remove(ref);
    await clock.advance(200_000);
    expect(stops.length).toBeGreaterThan(before);
    await pods.stop();
  });
});

describe('the grace of a pod', () => {
  it('does not pass with the wall clock', async () => {
    const { clock, now, objects, pods, stops } = world({ pod: podOf({}, deleted) });
    await pods.start(signal);
    await clock.advance(100);
    now.wallShiftMs = 3_600_000;
    objects.put('pods', podOf({}, { ...deleted, generation: 2 }));
    await clock.advance(1000);
    expect(stops.length).toBeGreaterThan(1);
    expect(Math.min(...stops)).toBeGreaterThan(27);
    await pods.stop();
  });

  it('goes on over a restart, and does not grow when the clock was set back', async () => {
    const disk = new Map<string, SavedPod>();
    const { clock, pods, stops } = world({ pod: podOf({}, deleted), disk });
    disk.set('uid-web', { admitted: true, endingSinceMs: clock.now() - 20_000 });
    await pods.start(signal);
    await clock.advance(100);
    expect(stops[0]).toBe(10);
    await pods.stop();
    const back = world({ pod: podOf({}, deleted), disk });
    disk.set('uid-web', { admitted: true, endingSinceMs: back.clock.now() + 3_600_000 });
    await back.pods.start(signal);
    await back.clock.advance(100);
    expect(back.stops[0]).toBe(30);
    await back.pods.stop();
  });
});

describe('a step that failed', () => {
  it('is tried again in its time, whatever becomes of the wall clock', async () => {
    const { clock, now, objects, pod, pods, stops } = world({ pod: podOf({}, deleted) });
    await pods.start(signal);
    await clock.advance(100);
    now.wallShiftMs = -3_600_000;
    const before = stops.length;
    objects.put('pods', pod);
    await clock.advance(10);
    expect(stops).toHaveLength(before);
    await clock.advance(15_000);
    expect(stops.length).toBeGreaterThan(before);
    await pods.stop();
  });
});

describe('the shutdown of the machine', () => {
  it('waits for the pods although the runtime does not answer at once', async () => {
    const { clock, now, pods } = world();
    await pods.start(signal);
    await clock.advance(100);
    now.down = 3;
    let over = false;
    const halted = pods.halt(30, signal).then(() => void (over = true));
    await clock.advance(1000);
    expect(over).toBe(false);
    now.observed = observedOf([sandboxOf({ state: 'not-ready' })]);
    await clock.advance(1000);
    await halted;
    expect(over).toBe(true);
    await pods.stop();
  });
});

describe('many pods', () => {
  it('are taken in one by one without work on the others', async () => {
    const { clock, metrics, objects, pods } = world({ maxParallelPods: 1 });
    for (let i = 0; i < 19; i += 1) objects.put('pods', podOf({}, { uid: `uid-${i}`, name: `web-${i}` }));
    await pods.start(signal);
    await clock.advance(3);
    expect(metrics.render()).toContain('selvedge_pods_pods{phase="Running"} 1');
    expect(metrics.render()).not.toMatch(/phase="Unknown"} 1\d/);
    await pods.stop();
  });

  it('ask the runtime few at a time', async () => {
    const { clock, now, objects, pods } = world();
    for (let i = 0; i < 19; i += 1) objects.put('pods', podOf({}, { uid: `uid-${i}`, name: `web-${i}` }));
    await pods.start(signal);
    await clock.advance(100);
    expect(now.mostAsking).toBe(2);
    await pods.stop();
  });
});

describe('the probes of a container', () => {
  it('ask for the address that the pod has then', async () => {
    const livenessProbe = { tcpSocket: { port: 80 } };
    const pod = podOf({ containers: [{ name: 'main', image: 'busybox', livenessProbe }] });
    const { clock, now, objects, pods, probed } = world({ pod });
    const { observed } = now;
    now.observed = { ...observed, sandboxes: [sandboxOf({ ips: [] })] };
    await pods.start(signal);
    await clock.advance(100);
    expect(probed.map(({ podIP }) => podIP())).toEqual(['']);
    now.observed = observed;
    objects.put('pods', pod);
    await clock.advance(100);
    expect(probed.map(({ podIP }) => podIP())).toEqual(['10.0.0.7']);
    await pods.stop();
  });
});
