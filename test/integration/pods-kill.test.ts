import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Clock, systemClock } from '@selvedge/kit';
import { seededRandom } from '@selvedge/kit/testing';
import type { Pod, PodStatus } from '@selvedge/kube/types';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContainerRecord, PodObserved } from '../../packages/edge-lite/src/runtime/index.ts';
import { waitFor } from '../bed/wait.ts';
import type { FromAgent, ToAgent } from './pods-agent.ts';
import { PodsWorld, busybox } from './pods-world.ts';

const rounds = 20;
const program = join(import.meta.dirname, 'pods-agent.ts');

/** How far the engine gets before it dies is what the test varies: this is no wait for a result. */
const letRun = (ms: number, clock: Pick<Clock, 'sleep'> = systemClock): Promise<void> => clock.sleep(ms);

/** The API as killed agents leave it: what they reported stays, what was deleted goes when its end was reported. */
class AgentHost {
  readonly pods = new Map<string, Pod>();
  readonly statuses = new Map<string, PodStatus>();
  /** The last that agents warned of. */
  readonly lines: string[] = [];
  readonly #world: PodsWorld;
  #agent: ChildProcess | undefined;

  constructor(world: PodsWorld) {
    this.#world = world;
  }

  start(): void {
    const agent = fork(program, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#agent = agent;
    agent.on('message', (message: FromAgent) => this.#hear(message));
    this.#say({ kind: 'start', place: this.#world.place, pods: [...this.pods.values()] });
  }

  async kill(): Promise<void> {
    const agent = this.#agent;
    if (agent === undefined) return;
    this.#agent = undefined;
    agent.removeAllListeners('message');
    agent.kill('SIGKILL');
    await once(agent, 'exit');
  }

  set(pod: Pod): void {
    this.pods.set(pod.metadata.name ?? '', pod);
    this.#say({ kind: 'pod', pod });
  }

  delete(name: string): void {
    const pod = this.pods.get(name);
    if (pod === undefined) return;
    const deletion = { deletionTimestamp: new Date().toISOString(), deletionGracePeriodSeconds: 1 };
    this.set({ ...pod, metadata: { ...pod.metadata, ...deletion } });
  }

  #say(message: ToAgent): void {
    this.#agent?.send(message);
  }

  #hear(message: FromAgent): void {
    if (message.kind === 'line') {
      this.lines.push(message.text);
      this.lines.splice(0, this.lines.length - 30);
      return;
    }
    this.statuses.set(message.uid, message.status);
    if (message.kind !== 'terminated') return;
    this.pods.delete(message.name);
    this.#say({ kind: 'gone', name: message.name });
  }
}

const newPod = (name: string): Pod => ({
  metadata: { name, namespace: 'default', uid: `uid-${name}`, generation: 1 },
  spec: {
    terminationGracePeriodSeconds: 1,
    initContainers: [{ name: 'init', image: busybox, command: ['true'] }],
    containers: ['a', 'b'].map((container) => ({
      name: container,
      image: busybox,
      command: ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.2; done'],
    })),
  },
});

const runningIn = ({ containers }: PodObserved): readonly ContainerRecord[] =>
  containers.filter(({ state }) => state.kind === 'running');

/** Waits until all pods are as wanted; the error says what is there instead, and what agents warned of. */
async function explained(world: PodsWorld, host: AgentHost, look: () => Promise<boolean>): Promise<void> {
  try {
    await waitFor({ what: 'all pods as wanted', timeoutMs: 120_000 }, systemClock, look);
  } catch (cause) {
    const runtime = (await world.look()).map(({ name, sandboxes, containers }) => ({
      name,
      sandboxes: sandboxes.map(({ attempt, state }) => `${attempt}: ${state}`),
      containers: containers.map((one) => `${one.name} ${one.id}: ${JSON.stringify(one.state)}`),
    }));
    const seen = { wanted: [...host.pods.keys()], runtime, lines: host.lines };
    throw new Error(JSON.stringify(seen, undefined, 1), { cause });
  }
}

describe.each(['1.6', '2.4'] as const)(
  'an engine that is killed again and again, on containerd %s',
  (version) => {
    let world: PodsWorld;
    let host: AgentHost;
    beforeAll(async () => {
      world = await PodsWorld.start(version);
      host = new AgentHost(world);
    });
    afterAll(async () => {
      await host.kill();
      await world.stop();
    });

    it('doubles nothing and leaks nothing', { timeout: 600_000 }, async () => {
      const first = new Map<string, string>();
      /** Each container runs once, and once it ran it is not replaced while its pod is wanted. */
      const expectSteady = (pod: PodObserved): void => {
        const running = runningIn(pod);
        const names = running.map(({ name }) => name);
        expect(names).toEqual([...new Set(names)]);
        if (host.pods.get(pod.name)?.metadata.deletionTimestamp !== undefined) return;
        for (const { id, name } of running) {
          const key = `${pod.name}/${name}`;
          expect(first.get(key) ?? id).toBe(id);
          first.set(key, id);
        }
      };
      const random = seededRandom(version === '1.6' ? 16 : 24);
      for (let round = 0; round < rounds; round += 1) {
        host.start();
        host.set(newPod(`pod-${round}`));
        if (round >= 5) host.delete(`pod-${round - 5}`);
        await letRun(300 + random() * 1200);
        await host.kill();
        const observed = await world.look();
        for (const pod of observed) expectSteady(pod);
      }
      host.start();
      const wanted = [...host.pods.values()].filter(
        ({ metadata }) => metadata.deletionTimestamp === undefined,
      );
      await explained(world, host, async () => {
        const observed = await world.look();
        const whole = observed.filter((pod) => runningIn(pod).length === 2).map(({ name }) => name);
        return (
          host.pods.size === wanted.length &&
          observed.length === wanted.length &&
          whole.length === wanted.length
        );
      });
      const observed = await world.look();
      expect(new Set(observed.map(({ name }) => name))).toEqual(
        new Set(wanted.map(({ metadata }) => metadata.name)),
      );
      for (const { sandboxes } of observed) {
        expect(sandboxes.filter(({ state }) => state === 'ready')).toHaveLength(1);
      }
      expect(new Set(await world.leftoverUids())).toEqual(
        new Set(wanted.map(({ metadata }) => metadata.uid)),
      );
    });
  },
);
