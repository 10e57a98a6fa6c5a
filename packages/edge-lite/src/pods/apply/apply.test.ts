import { ContainerConfig, PodSandboxConfig, message } from '@selvedge/containerd-grpc-types';
import { SelvedgeError, createLimiter, raceAbort, silentLogger } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import type { Container, Pod } from '@selvedge/kube/types';
import { describe, expect, it } from 'vitest';

import type { Images } from '../images/index.ts';
import { containerOf, exited, observedOf, podOf, sandboxOf } from '../plan/testing.ts';
import { type ActiveStep, apply } from './apply.ts';
import type { ApplyDeps, StepContext, StepResult } from './context.ts';
import type { Hooks } from './ports.ts';

const runtimeError = (call: string, text: string): SelvedgeError =>
  new SelvedgeError(`${call}: ${text}`, { code: 'Internal', details: { grpcStatus: 'UNKNOWN' } });

const present: Images['ensure'] = async () => ({
  kind: 'present',
  ref: 'sha256:1',
  image: { id: 'sha256:1', sizeBytes: 1, digests: [], tags: [], uid: undefined, username: '' },
});

interface Fakes {
  readonly runtime?: Partial<ApplyDeps['runtime']>;
  readonly builder?: Partial<ApplyDeps['builder']>;
  readonly volumes?: Partial<ApplyDeps['volumes']>;
  readonly cgroups?: Partial<ApplyDeps['cgroups']>;
  readonly hooks?: Partial<Hooks>;
  readonly ensure?: Images['ensure'];
}

/** Everything works unless said otherwise; what was called and what was said, in order. */
function world(fakes: Fakes = {}) {
  const calls: string[] = [];
  const said: string[] = [];
  const clock = createManualClock();
  const call =
    <T>(name: string, result: T) =>
    async (): Promise<T> => {
      calls.push(name);
      return result;
    };
  const deps: ApplyDeps = {
    clock,
    log: silentLogger,
    starts: createLimiter({ capacity: 1 }),
    events: {
      record: (_, event) =>
        void said.push(`${event.reason}: ${event.message} ${event.fieldPath ?? ''}`.trim()),
    },
    images: { ensure: fakes.ensure ?? present, forget: () => undefined },
    hooks: { postStart: call('postStart', undefined), preStop: call('preStop', undefined), ...fakes.hooks },
    volumes: { prepare: call('prepare', undefined), remove: call('remove', undefined), ...fakes.volumes },
    cgroups: {
      ensure: call('ensure cgroup', undefined),
      remove: call('remove cgroup', undefined),
      ...fakes.cgroups,
    },
    logs: {
      prepare: call('prepare logs', undefined),
      link: call('link', undefined),
      removeContainer: call('remove log', undefined),
      removePod: call('remove logs', undefined),
      uids: call('uids', []),
    },
    builder: {
      sandbox: () => ({ config: message(PodSandboxConfig, { logDirectory: '/logs' }), events: [] }),
      containerConfig: async () => message(ContainerConfig, { logPath: 'main/0.log' }),
      pullSecrets: () => [],
      ...fakes.builder,
    },
    runtime: {
      runSandbox: call('run sandbox', 'sandbox-0'),
      stopSandbox: call('stop sandbox', undefined),
      removeSandbox: call('remove sandbox', undefined),
      createContainer: call('create', 'main-0'),
      startContainer: call('start', undefined),
      stopContainer: async ({ graceSeconds }) => void calls.push(`stop ${graceSeconds}s`),
      removeContainer: call('remove', undefined),
      reopenLog: call('reopen log', undefined),
      exec: call('exec', { exitCode: 0, stdout: '', stderr: '' }),
      imageStatus: call('image', undefined),
      listImages: call('images', []),
      pullImage: call('pull', ''),
      ...fakes.runtime,
    },
  };
  const run = (step: ActiveStep, more: Partial<StepContext> = {}): Promise<StepResult> => {
    const { signal } = new AbortController();
    const context = { pod: podOf(), observed: observedOf([sandboxOf()]), podIPs: [], failures: 0, signal };
    return apply(deps, step, { ...context, interrupt: signal, ...more });
  };
  return { calls, said, clock, run };
}

const start: ActiveStep = {
  kind: 'start-container',
  container: 'main',
  role: 'regular',
  sandboxId: 'sandbox-0',
  restartCount: 0,
  endedAtMs: undefined,
};
const stop: ActiveStep = {
  kind: 'stop-container',
  container: 'main',
  containerId: 'main-0',
  graceSeconds: 10,
  message: 'Stopping container main',
  restart: false,
};
const hooked = (lifecycle: Container['lifecycle']): Pod =>
  podOf({ containers: [{ name: 'main', lifecycle }] });
const at = 'spec.containers{main}';

describe('starting a container', () => {
  it('makes it, starts it, and says so', async () => {
    const { calls, said, run } = world();
    expect(await run(start)).toEqual({ kind: 'done' });
    expect(calls).toEqual(['create', 'start', 'link']);
    expect(said).toEqual([`Created: Container created ${at}`, `Started: Container started ${at}`]);
  });

  it('stops at an image that is not there', async () => {
    const missing = {
      kind: 'missing',
      reason: 'ErrImagePull',
      message: 'no such image',
      retryAtMs: 7,
    } as const;
    const { calls, said, run } = world({ ensure: async () => missing });
    const { reason, message: text } = missing;
    expect(await run(start)).toEqual({ kind: 'waiting', waiting: { reason, message: text }, retryAtMs: 7 });
    expect([calls, said]).toEqual([[], [`Failed: Error: ErrImagePull ${at}`]]);
  });

  it.each<[string, Fakes]>([
    [
      'CreateContainerConfigError',
      { builder: { containerConfig: () => Promise.reject(new Error('no key')) } },
    ],
    [
      'CreateContainerError',
      { runtime: { createContainer: () => Promise.reject(runtimeError('CreateContainer', 'no key')) } },
    ],
    [
      'RunContainerError',
      { runtime: { startContainer: () => Promise.reject(runtimeError('StartContainer', 'no key')) } },
    ],
  ])('shows what went wrong as %s, without the name of our call', async (reason, fakes) => {
    const { said, run } = world(fakes);
    expect(await run(start)).toEqual({ kind: 'waiting', waiting: { reason, message: 'no key' } });
    expect(said.at(-1)).toBe(`Failed: Error: no key ${at}`);
  });

  it('says nothing at first about what is still on its way', async () => {
    const late = new SelvedgeError('not known yet', { code: 'Unavailable' });
    const { said, run } = world({ builder: { containerConfig: () => Promise.reject(late) } });
    expect(await run(start)).toEqual({ kind: 'failed', error: late });
    expect(said).toEqual([]);
    expect(await run(start, { failures: 1 })).toMatchObject({ kind: 'waiting' });
  });

  it('ends a container whose hook fails, and keeps what the hook said out of the event', async () => {
    const pod = hooked({ postStart: { exec: { command: ['x'] } } });
    const { calls, said, run } = world({ hooks: { postStart: () => Promise.reject(new Error('secret')) } });
    const result = await run(start, { pod });
    expect(result).toEqual({ kind: 'waiting', waiting: { reason: 'PostStartHookError', message: 'secret' } });
    expect(calls.at(-1)).toBe('stop 30s');
    expect(said.slice(-2)).toEqual([
      `FailedPostStartHook: PostStartHook failed ${at}`,
      `Killing: FailedPostStartHook ${at}`,
    ]);
  });

  it('names an init container as such', async () => {
    const pod = podOf({ initContainers: [{ name: 'main' }] });
    const { said, run } = world();
    await run(start, { pod });
    expect(said[0]).toBe('Created: Container created spec.initContainers{main}');
  });
});

describe('ending a container', () => {
  it('says so and gives it its grace', async () => {
    const { calls, said, run } = world();
    expect(await run(stop)).toEqual({ kind: 'done' });
    expect([calls, said]).toEqual([['stop 10s'], [`Killing: Stopping container main ${at}`]]);
  });

  it.each([
    [3, 'stop 7s'],
    [9, 'stop 2s'],
    [60, 'stop 2s'],
  ])('takes the time of its hook off its grace: %i s', async (seconds, wanted) => {
    const pod = hooked({ preStop: { sleep: { seconds } } });
    const { calls, clock, run } = world({
      hooks: { preStop: (_, signal) => clock.sleep(seconds * 1000, signal) },
    });
    const stopped = run(stop, { pod });
    await clock.advance(seconds * 1000);
    await stopped;
    expect(calls).toEqual([wanted]);
  });

  it('goes on when its hook fails', async () => {
    const pod = hooked({ preStop: { exec: { command: ['x'] } } });
    const { calls, said, run } = world({ hooks: { preStop: () => Promise.reject(new Error('secret')) } });
    await run(stop, { pod });
    expect(calls).toEqual(['stop 10s']);
    expect(said.at(-1)).toBe(`FailedPreStopHook: PreStopHook failed ${at}`);
  });

  it('is given up when the plan is out of date', async () => {
    const interrupt = new AbortController();
    const { run } = world({
      runtime: {
        stopContainer: (_, signal) => raceAbort(new Promise<void>(() => undefined), signal),
      },
    });
    const stopped = run(stop, { interrupt: interrupt.signal });
    interrupt.abort(new Error('sooner'));
    await expect(stopped).rejects.toThrow('sooner');
  });
});

describe('a sandbox', () => {
  it('comes after its cgroup and its log folder', async () => {
    const { calls, said, run } = world();
    expect(await run({ kind: 'create-sandbox', attempt: 0 })).toEqual({ kind: 'done' });
    expect([calls, said]).toEqual([['ensure cgroup', 'prepare logs', 'run sandbox'], []]);
  });

  it('that follows another is announced', async () => {
    const { said, run } = world();
    await run({ kind: 'create-sandbox', attempt: 1 });
    expect(said).toEqual(['SandboxChanged: Pod sandbox changed, it will be killed and re-created.']);
  });

  it.each<[string, Fakes]>([
    [
      'FailedCreatePodSandBox: Failed to create pod sandbox: no network',
      { runtime: { runSandbox: () => Promise.reject(runtimeError('RunPodSandbox', 'no network')) } },
    ],
    [
      'FailedCreatePodContainer: unable to ensure pod container exists: no cgroup',
      { cgroups: { ensure: () => Promise.reject(new Error('no cgroup')) } },
    ],
  ])('that fails is told: %s', async (wanted, fakes) => {
    const { said, run } = world(fakes);
    expect(await run({ kind: 'create-sandbox', attempt: 0 })).toMatchObject({ kind: 'failed' });
    expect(said).toEqual([wanted]);
  });
});

describe('volumes', () => {
  it('that fail are told, unless they may be on their way', async () => {
    const late = new SelvedgeError('MountVolume.SetUp failed', { code: 'Unavailable' });
    const { said, run } = world({ volumes: { prepare: () => Promise.reject(late) } });
    await run({ kind: 'prepare-volumes' });
    expect(said).toEqual([]);
    await run({ kind: 'prepare-volumes' }, { failures: 1 });
    expect(said).toEqual(['FailedMount: MountVolume.SetUp failed']);
  });

  it('go with the cgroup', async () => {
    const { calls, run } = world();
    await run({ kind: 'remove-volumes' });
    expect(calls).toEqual(['remove', 'remove cgroup']);
  });
});

describe('removing a container', () => {
  it('takes its log with it', async () => {
    const { calls, run } = world();
    const observed = observedOf([sandboxOf()], [containerOf('main', exited(0))]);
    await run({ kind: 'remove-container', containerId: 'main-0', container: 'main' }, { observed });
    expect(calls).toEqual(['remove', 'remove log']);
  });
});
