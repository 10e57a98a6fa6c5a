import { resources } from '@selvedge/kube';
import type { Pod } from '@selvedge/kube/types';
import { describe, expect, it } from 'vitest';
import {
  condition,
  containerStatus,
  isReady,
  lastWords,
  pod,
  running,
  shell,
  succeeded,
  webServer,
} from './support/pods.ts';
import { useSite } from './support/site.ts';

const site = useSite();
/** Each test has pods of its own, and most of them wait. */
const beside = { concurrent: true } as const;

describe('init containers', beside, () => {
  it('run one after another before the others start', async () => {
    const mounts = { volumeMounts: [{ name: 'trace', mountPath: '/trace' }] };
    const note = (name: string): ReturnType<typeof shell> =>
      shell(`echo ${name} >> /trace/order`, { name, ...mounts });
    await site.create(
      resources.pods,
      pod({
        name: 'ordered',
        restartPolicy: 'Never',
        volumes: [{ name: 'trace', emptyDir: {} }],
        initContainers: [note('first'), note('second')],
        containers: [shell('cp /trace/order /dev/termination-log', mounts)],
      }),
    );
    const done = await site.pod('ordered', { what: 'it has ended' }, succeeded);
    expect(lastWords(done)).toBe('first\nsecond\n');
    expect(done.status?.initContainerStatuses?.map((one) => one.state?.terminated?.reason)).toEqual([
      'Completed',
      'Completed',
    ]);
  });

  it('fail the pod that may not restart them', async () => {
    await site.create(
      resources.pods,
      pod({
        name: 'stillborn',
        restartPolicy: 'Never',
        initContainers: [shell('exit 7', { name: 'init' })],
        containers: [shell('exit 0')],
      }),
    );
    const failed = await site.pod(
      'stillborn',
      { what: 'it has failed' },
      (one) => one.status?.phase === 'Failed',
    );
    expect(containerStatus(failed, 'init')?.state?.terminated?.exitCode).toBe(7);
    expect(containerStatus(failed)?.state?.waiting?.reason).toBe('PodInitializing');
    expect(condition(failed, 'Initialized')).toBe('False');
  });
});

describe('a crashing container', beside, () => {
  it('is started again at once, then after 10 s, then after 20 s', async () => {
    const script =
      'date +%s >> /t/starts; [ $(wc -l < /t/starts) -lt 4 ] && exit 3; cp /t/starts /dev/termination-log';
    await site.create(
      resources.pods,
      pod({
        name: 'crash',
        restartPolicy: 'OnFailure',
        volumes: [{ name: 't', emptyDir: {} }],
        containers: [shell(script, { volumeMounts: [{ name: 't', mountPath: '/t' }] })],
      }),
    );
    const waitsFor = (seconds: number): Promise<Pod> =>
      site.pod('crash', { what: `it waits for ${seconds} s` }, (one) => {
        const { reason, message = '' } = containerStatus(one)?.state?.waiting ?? {};
        return (
          reason === 'CrashLoopBackOff' &&
          message.includes(`back-off ${seconds}s restarting failed container`)
        );
      });
    const waiting = await waitsFor(10);
    expect(containerStatus(waiting)?.lastState?.terminated).toMatchObject({ exitCode: 3, reason: 'Error' });
    await waitsFor(20);
    const done = await site.pod('crash', { what: 'its fourth run has ended' }, succeeded);
    const starts = (lastWords(done) ?? '').trim().split('\n').map(Number);
    const [first = Infinity, second = 0, third = 0] = starts
      .slice(1)
      .map((start, i) => start - (starts[i] ?? 0));
    expect(first).toBeLessThan(second);
    expect(second).toBeGreaterThanOrEqual(9);
    expect(third).toBeGreaterThanOrEqual(19);
    expect(containerStatus(done)?.restartCount).toBe(3);
    expect((await site.events('crash')).map((event) => event.reason)).toContain('BackOff');
  });
});

describe('probes', beside, () => {
  it('keep a pod unready until the readiness probe succeeds', async () => {
    const path = `/tmp/selvedge-ready-${site.namespace}`;
    await site.create(
      resources.pods,
      pod({
        name: 'slow',
        volumes: [{ name: 'host', hostPath: { path, type: 'DirectoryOrCreate' } }],
        containers: [
          running('', {
            volumeMounts: [{ name: 'host', mountPath: '/host' }],
            readinessProbe: { exec: { command: ['test', '-e', '/host/ready'] }, periodSeconds: 1 },
          }),
        ],
      }),
    );
    const started = await site.pod(
      'slow',
      { what: 'it runs' },
      (one) => containerStatus(one)?.state?.running !== undefined,
    );
    expect(isReady(started)).toBe(false);
    await site.bed.exec('lite-1', ['touch', `${path}/ready`]);
    expect(isReady(await site.pod('slow', { what: 'it is ready' }, isReady))).toBe(true);
    await site.deletePod('slow');
    await site.bed.exec('lite-1', ['rm', '-r', path]);
  });

  it('restart a container that the liveness probe finds dead', async () => {
    await site.create(
      resources.pods,
      pod({
        name: 'sick',
        containers: [
          webServer({
            livenessProbe: {
              httpGet: { path: '/echo?msg=sick&code=503', port: 8080 },
              periodSeconds: 1,
              failureThreshold: 2,
            },
          }),
        ],
      }),
    );
    const restarted = await site.pod(
      'sick',
      { what: 'it was restarted' },
      (one) => (containerStatus(one)?.restartCount ?? 0) > 0,
    );
    expect(containerStatus(restarted)?.lastState?.terminated).toBeDefined();
    const reasons = (await site.events('sick')).map((event) => event.reason);
    expect(reasons).toEqual(expect.arrayContaining(['Unhealthy', 'Killing']));
    await site.deletePod('sick');
  });

  it('hold liveness back until the startup probe has succeeded', async () => {
    const script = 'sleep 4; touch /tmp/up';
    const probe = { exec: { command: ['test', '-e', '/tmp/up'] }, periodSeconds: 1, timeoutSeconds: 20 };
    await site.create(
      resources.pods,
      pod({
        name: 'heavy',
        containers: [
          running(script, {
            startupProbe: { ...probe, failureThreshold: 30 },
            livenessProbe: { ...probe, failureThreshold: 1 },
            readinessProbe: { tcpSocket: { port: 1 }, periodSeconds: 1 },
          }),
        ],
      }),
    );
    const up = await site.pod(
      'heavy',
      { what: 'it has started' },
      (one) => containerStatus(one)?.started === true,
    );
    expect([containerStatus(up)?.restartCount, isReady(up)]).toEqual([0, false]);
    await site.deletePod('heavy');
  });
});

describe('deletion', beside, () => {
  it('lets a container end by itself within its grace', async () => {
    const script = `trap 'echo bye > /host/said; exit 0' TERM; while :; do sleep 0.1; done`;
    const path = `/tmp/selvedge-${site.namespace}`;
    await site.create(
      resources.pods,
      pod({
        name: 'polite',
        terminationGracePeriodSeconds: 20,
        volumes: [{ name: 'host', hostPath: { path, type: 'DirectoryOrCreate' } }],
        containers: [shell(script, { volumeMounts: [{ name: 'host', mountPath: '/host' }] })],
      }),
    );
    await site.pod('polite', { what: 'it is ready' }, isReady);
    await site.deletePod('polite');
    const { stdout } = await site.bed.exec('lite-1', ['cat', `${path}/said`]);
    expect(stdout).toBe('bye\n');
    await site.bed.exec('lite-1', ['rm', '-r', path]);
  });

  it('kills a container that does not listen once the grace is over', async () => {
    await site.create(
      resources.pods,
      pod({
        name: 'deaf',
        terminationGracePeriodSeconds: 2,
        containers: [shell(`trap '' TERM; while :; do sleep 1; done`)],
      }),
    );
    await site.pod('deaf', { what: 'it is ready' }, isReady);
    const asked = Date.now();
    await site.deletePod('deaf');
    expect(Date.now() - asked).toBeGreaterThanOrEqual(1900);
  });
});

describe('refusal', beside, () => {
  it('fails a pod that needs what a lite node has not, naming the field', async () => {
    await site.create(
      resources.pods,
      pod({
        name: 'refused',
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'claim' } }],
        containers: [running()],
      }),
    );
    const failed = await site.pod(
      'refused',
      { what: 'it is refused' },
      (one) => one.status?.phase === 'Failed',
    );
    expect(failed.status?.message).toContain('spec.volumes[0].persistentVolumeClaim');
    expect(failed.status?.containerStatuses ?? []).toEqual([]);
  });
});

describe('security context', beside, () => {
  it('runs as the user, with the groups, capabilities and root file system asked for', async () => {
    const script =
      'echo "$(id -u):$(id -g):$(id -G) $(touch /x 2>&1 | grep -c Read-only) $(grep CapEff /proc/self/status | cut -f2)" > /dev/termination-log';
    await site.create(
      resources.pods,
      pod({
        name: 'modest',
        restartPolicy: 'Never',
        securityContext: {
          runAsUser: 1000,
          runAsGroup: 2000,
          supplementalGroups: [3000],
          runAsNonRoot: true,
        },
        containers: [
          shell(script, {
            securityContext: {
              readOnlyRootFilesystem: true,
              allowPrivilegeEscalation: false,
              capabilities: { drop: ['ALL'] },
              seccompProfile: { type: 'RuntimeDefault' },
            },
          }),
        ],
      }),
    );
    const done = await site.pod('modest', { what: 'it has ended' }, succeeded);
    expect(lastWords(done)).toBe('1000:2000:2000 3000 1 0000000000000000\n');
  });

  it('refuses to run an image of root as another user than root', async () => {
    await site.create(
      resources.pods,
      pod({ name: 'rootless', securityContext: { runAsNonRoot: true }, containers: [running()] }),
    );
    const waiting = await site.pod(
      'rootless',
      { what: 'it is not started' },
      (one) => containerStatus(one)?.state?.waiting?.reason === 'CreateContainerConfigError',
    );
    expect(containerStatus(waiting)?.state?.waiting?.message).toContain('runAsNonRoot');
    await site.deletePod('rootless');
  });
});
