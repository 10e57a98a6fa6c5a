import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PodStatus } from '@selvedge/kube/types';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ContainerdVersion } from '../bed/description.ts';
import type { Engine } from './pods-engine.ts';
import { PodsWorld, busybox } from './pods-world.ts';

const sleeper = (name = 'main') => ({ name, image: busybox, command: ['sleep', '3600'] });
const shell = (script: string, name = 'main') => ({ name, image: busybox, command: ['sh', '-c', script] });
const isRunning = ({ phase }: PodStatus): boolean => phase === 'Running';
const isReady = ({ conditions }: PodStatus): boolean =>
  conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
const waitsFor =
  (reason: string) =>
  ({ containerStatuses }: PodStatus): boolean =>
    containerStatuses?.some(({ state }) => state?.waiting?.reason === reason) === true;
const restarts = (status: PodStatus): number => status.containerStatuses?.[0]?.restartCount ?? 0;
/** A time of the first container, in milliseconds since the epoch. */
const lastEnd = ({ containerStatuses }: PodStatus): number =>
  Date.parse(containerStatuses?.[0]?.lastState?.terminated?.finishedAt ?? '');
const lastStart = ({ containerStatuses }: PodStatus): number => {
  const { state, lastState } = containerStatuses?.[0] ?? {};
  return Date.parse((state?.running ?? lastState?.terminated)?.startedAt ?? '');
};

/** What a pod goes through, on one containerd. */
export function describePodsLife(version: ContainerdVersion): void {
  describe(`pods on containerd ${version}`, () => {
    let world: PodsWorld;
    let engine: Engine;
    beforeAll(async () => {
      world = await PodsWorld.start(version);
    });
    afterAll(() => world.stop());
    beforeEach(async () => {
      engine = await world.engine();
    });
    afterEach(async () => {
      try {
        await world.clear();
      } finally {
        await engine.stop();
      }
    });

    it('runs a pod from its creation to its deletion', async () => {
      const pod = world.api.create('life', { containers: [sleeper()] });
      const status = await world.status(pod, 'Ready', isReady);
      expect(status).toMatchObject({ phase: 'Running', podIP: expect.stringMatching(/^10\.88\./) });
      expect(world.reasons('life')).toEqual(['Pulled', 'Created', 'Started']);
      world.api.delete('life');
      const last = await world.gone(pod);
      expect(last).toMatchObject({
        phase: 'Failed',
        containerStatuses: [{ state: { terminated: { exitCode: 137 } } }],
      });
      expect(world.reasons('life')).toContain('Killing');
      expect(await world.observe(engine)).toEqual([]);
      await expect.poll(() => world.leftovers()).toEqual([]);
    });

    it('runs a job to its end and keeps what it left', async () => {
      const pod = world.api.create('job', {
        restartPolicy: 'Never',
        containers: [
          { ...shell('echo good-bye; exit 3'), terminationMessagePolicy: 'FallbackToLogsOnError' },
        ],
      });
      const status = await world.status(pod, 'Failed', ({ phase }) => phase === 'Failed');
      expect(status.containerStatuses?.[0]?.state?.terminated).toMatchObject({
        exitCode: 3,
        reason: 'Error',
        message: 'good-bye\n',
      });
      await world.settled(engine, pod, ({ sandboxes }) =>
        sandboxes.every(({ state }) => state === 'not-ready'),
      );
      const [observed] = await world.observe(engine);
      expect(observed?.containers.map(({ state }) => state.kind)).toEqual(['exited']);
    });

    it('restarts what ended, the second time after ten seconds', async () => {
      const pod = world.api.create('crash', { containers: [shell('sleep 0.2; exit 1')] });
      const status = await world.status(pod, 'CrashLoopBackOff', waitsFor('CrashLoopBackOff'));
      expect(status.containerStatuses?.[0]).toMatchObject({
        restartCount: 1,
        state: {
          waiting: { message: expect.stringMatching(/^back-off 10s restarting failed container=main /) },
        },
        lastState: { terminated: { exitCode: 1 } },
      });
      expect(status.phase).toBe('Running');
      const again = await world.status(pod, 'second restart', (now) => restarts(now) === 2);
      expect(lastStart(again) - lastEnd(status)).toBeGreaterThanOrEqual(9000);
      expect(world.reasons('crash')).toContain('BackOff');
    });

    it('runs init containers in order before the others, and sidecars beside them', async () => {
      const pod = world.api.create('init', {
        initContainers: [
          shell('echo first > /dev/termination-log', 'first'),
          { ...sleeper('side'), restartPolicy: 'Always' },
          shell('true', 'second'),
        ],
        containers: [sleeper()],
      });
      const status = await world.status(pod, 'Ready', isReady);
      const ids = (status.initContainerStatuses ?? []).map(({ name, state }) => [
        name,
        Object.keys(state ?? {}),
      ]);
      expect(ids).toEqual([
        ['first', ['terminated']],
        ['side', ['running']],
        ['second', ['terminated']],
      ]);
      const order = world.api.events.filter((event) => event.pod === 'init' && event.reason === 'Started');
      expect(order.map(({ fieldPath }) => fieldPath)).toEqual([
        'spec.initContainers{first}',
        'spec.initContainers{side}',
        'spec.initContainers{second}',
        'spec.containers{main}',
      ]);
    });

    it('says why an image is not there', async () => {
      const never = world.api.create('never', {
        containers: [{ ...sleeper(), image: 'registry.invalid/none:1', imagePullPolicy: 'Never' }],
      });
      const pulled = world.api.create('pulled', {
        containers: [{ ...sleeper(), image: 'registry.invalid/none:1' }],
      });
      const wrong = world.api.create('wrong', { containers: [{ ...sleeper(), image: 'Wrong Name' }] });
      await world.status(pulled, 'ErrImagePull', waitsFor('ErrImagePull'));
      await world.status(never, 'ErrImageNeverPull', waitsFor('ErrImageNeverPull'));
      await world.status(wrong, 'InvalidImageName', waitsFor('InvalidImageName'));
      const status = await world.status(pulled, 'ImagePullBackOff', waitsFor('ImagePullBackOff'));
      expect(status.containerStatuses?.[0]?.state?.waiting?.message).toMatch(
        /^Back-off pulling image "registry.invalid\/none:1": ErrImagePull: /,
      );
      expect(world.reasons('pulled').slice(0, 4)).toEqual(['Pulling', 'Failed', 'Failed', 'BackOff']);
    });

    it('shows a command that cannot be started', async () => {
      const pod = world.api.create('nocommand', {
        restartPolicy: 'Never',
        containers: [{ name: 'main', image: busybox, command: ['/no/such/program'] }],
      });
      const status = await world.status(pod, 'Failed', ({ phase }) => phase === 'Failed');
      expect(status.containerStatuses?.[0]?.state?.terminated).toMatchObject({
        exitCode: 128,
        reason: 'StartError',
      });
    });

    it('refuses what it does not support and runs none of it', async () => {
      const pod = world.api.create('claim', {
        containers: [sleeper()],
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
      });
      const status = await world.status(pod, 'Failed', ({ phase }) => phase === 'Failed');
      expect(status).toMatchObject({
        reason: 'PodFeatureUnsupported',
        message: 'Pod was rejected: spec.volumes[0].persistentVolumeClaim is not supported on this node',
      });
      expect(await world.observe(engine)).toEqual([]);
    });

    it('ends a pod whose time is up', async () => {
      const pod = world.api.create('late', { containers: [sleeper()] });
      await world.status(pod, 'Running', isRunning);
      world.api.set({ ...pod, spec: { containers: [], ...pod.spec, activeDeadlineSeconds: 1 } });
      const status = await world.status(pod, 'Failed', ({ phase }) => phase === 'Failed');
      expect(status.reason).toBe('DeadlineExceeded');
    });

    it('probes containers: ready, started and alive', async () => {
      const probe = (file: string, more = {}) => ({
        exec: { command: ['test', '-e', `/data/${file}`] },
        periodSeconds: 1,
        timeoutSeconds: 30,
        failureThreshold: 1,
        ...more,
      });
      const pod = world.api.create('probed', {
        volumes: [{ name: 'data', emptyDir: {} }],
        containers: [
          {
            ...sleeper(),
            volumeMounts: [{ name: 'data', mountPath: '/data' }],
            startupProbe: probe('started', { failureThreshold: 100 }),
            readinessProbe: probe('ready'),
            livenessProbe: probe('alive'),
          },
        ],
      });
      const before = await world.status(pod, 'Running', isRunning);
      expect(before.containerStatuses?.[0]).toMatchObject({ started: false, ready: false });
      const data = world.emptyDir(pod, 'data');
      for (const file of ['alive', 'started']) await writeFile(join(data, file), '');
      await world.status(
        pod,
        'started',
        (now) => now.containerStatuses?.[0]?.started === true && !isReady(now),
      );
      await writeFile(join(data, 'ready'), '');
      await world.status(pod, 'Ready', isReady);
      await rm(join(data, 'alive'));
      const after = await world.status(pod, 'restarted', (now) => restarts(now) > 0);
      expect(after.containerStatuses?.[0]?.lastState?.terminated?.exitCode).toBe(137);
      const said = world.api.events.filter((event) => event.pod === 'probed').map(({ message }) => message);
      expect(said).toContain('Container main failed liveness probe, will be restarted');
    });

    it('gives a pod its volumes and its files', async () => {
      const mounts = [{ name: 'data', mountPath: '/data' }];
      const pod = world.api.create('volumes', {
        restartPolicy: 'Never',
        volumes: [{ name: 'data', emptyDir: {} }],
        initContainers: [{ ...shell('echo from-init > /data/file', 'write'), volumeMounts: mounts }],
        containers: [
          {
            terminationMessagePath: '/dev/termination-log',
            ...shell(
              'cat /data/file /etc/hosts > /dev/termination-log; echo $POD_IP >> /dev/termination-log',
            ),
            volumeMounts: mounts,
            env: [{ name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
          },
        ],
      });
      const status = await world.status(pod, 'Succeeded', ({ phase }) => phase === 'Succeeded');
      const message = status.containerStatuses?.[0]?.state?.terminated?.message ?? '';
      expect(message).toMatch(/^from-init\n/);
      expect(message).toContain(`${status.podIP}\tvolumes\n`);
      expect(message.endsWith(`${status.podIP}\n`)).toBe(true);
    });

    it('runs hooks', async () => {
      const pod = world.api.create('hooks', {
        terminationGracePeriodSeconds: 20,
        containers: [
          {
            ...shell('trap "exit 5" TERM; while ! [ -e /tmp/go ]; do sleep 0.1; done; exit 6'),
            lifecycle: {
              postStart: { exec: { command: ['touch', '/tmp/started'] } },
              preStop: {
                exec: { command: ['sh', '-c', 'test -e /tmp/started && touch /tmp/go && sleep 1'] },
              },
            },
          },
        ],
        restartPolicy: 'Never',
      });
      await world.status(pod, 'Running', isRunning);
      world.api.delete('hooks', 20);
      const status = await world.gone(pod);
      expect(status.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(6);
    });

    it('does not restart a container when it is restarted itself', async () => {
      const pod = world.api.create('stays', { containers: [sleeper(), sleeper('other')] });
      const before = await world.status(pod, 'Ready', isReady);
      await engine.stop();
      engine = await world.engine();
      const fresh = world.api.create('fresh', { containers: [sleeper()] });
      await world.status(fresh, 'Ready', isReady);
      const [after] = (await world.observe(engine)).filter(({ name }) => name === 'stays');
      const ids = (before.containerStatuses ?? []).map(({ containerID }) => containerID?.split('//')[1]);
      expect(new Set(after?.containers.map(({ id }) => id))).toEqual(new Set(ids));
      expect(world.api.statuses.get(pod.metadata.uid ?? '')).toEqual(before);
    });

    it('takes up what happened while it was away', async () => {
      const crashed = world.api.create('crashed', { containers: [shell('sleep 3; exit 1')] });
      const deleted = world.api.create('deleted', { containers: [sleeper()] });
      const vanished = world.api.create('vanished', { containers: [sleeper()] });
      for (const pod of [crashed, deleted, vanished]) await world.status(pod, 'Running', isRunning);
      await engine.stop();
      world.api.delete('deleted');
      world.api.forget('vanished');
      engine = await world.engine();
      await world.gone(deleted);
      await world.status(crashed, 'restarted', (status) => restarts(status) > 0);
      await world.settled(engine, vanished, undefined);
    });

    it('outlives the runtime, whose containers go on', async () => {
      const pod = world.api.create('survivor', { containers: [sleeper()] });
      const before = await world.status(pod, 'Ready', isReady);
      world.containerd.kill();
      const created = world.api.create('meanwhile', { containers: [sleeper()] });
      await world.containerd.revive();
      await world.status(created, 'Ready', isReady);
      expect(world.api.statuses.get(pod.metadata.uid ?? '')?.containerStatuses).toEqual(
        before.containerStatuses,
      );
    });

    it('makes a new sandbox when the old one dies', async () => {
      const pod = world.api.create('sandbox', { containers: [sleeper()] });
      await world.status(pod, 'Ready', isReady);
      const [observed] = await world.observe(engine);
      await engine.runtime.stopSandbox(observed?.sandboxes[0]?.id ?? '', world.signal);
      // The runtime ends the container first: it may have been started again in the old sandbox, in vain.
      await world.status(pod, 'restarted', (now) => restarts(now) > 0 && isReady(now));
      const [after] = await world.observe(engine);
      expect(after?.sandboxes[0]).toMatchObject({ attempt: 1, state: 'ready' });
      expect(after?.sandboxes.slice(1).map(({ state }) => state)).not.toContain('ready');
      expect(world.reasons('sandbox')).toContain('SandboxChanged');
    });

    it('ends all pods when the machine shuts down, to go on afterwards', async () => {
      const pod = world.api.create('machine', { containers: [sleeper()] });
      await world.status(pod, 'Ready', isReady);
      await engine.pods.halt(10, world.signal);
      const [observed] = await world.observe(engine);
      expect(observed?.containers.map(({ state }) => state.kind)).toEqual(['exited']);
      await engine.stop();
      engine = await world.engine();
      const status = await world.status(pod, 'Running again', (now) => restarts(now) === 1 && isReady(now));
      expect(status.phase).toBe('Running');
    });
  });
}
