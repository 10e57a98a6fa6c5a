import { SelvedgeError, createMetricsRegistry } from '@selvedge/kit';
import { type ManualClock, createManualClock, recordingLogger } from '@selvedge/kit/testing';
import type { EventContent, KubeClient } from '@selvedge/kube';
import type { Pod, PodCondition } from '@selvedge/kube/types';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TemporaryStore, createTemporaryStore } from '../../store/testing.ts';
import { applyPatchBody, rebase, replayPatch } from '../merge/index.ts';
import { createTestReplica } from '../replica/testing.ts';
import type { Replica } from '../replica/types.ts';
import type { Connectivity } from '../upstream/types.ts';
import { type Replay, createReplay } from './replay.ts';

const online: Connectivity = { kind: 'online', sinceMs: 0, server: 'one:6443' };
const offline: Connectivity = { kind: 'offline', sinceMs: 0, reason: 'refused' };
const ready = (status: string): PodCondition => ({ type: 'Ready', status });

const podOf = (name: string, phase = 'Pending', conditions: readonly PodCondition[] = []): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'a', uid: `uid-${name}`, resourceVersion: '5' },
  spec: { containers: [], nodeName: 'edge-1' },
  status: { phase, conditions },
});

interface World {
  readonly clock: ManualClock;
  readonly replica: Replica;
  readonly replay: Replay;
  /** What the API server has. */
  readonly pods: Map<string, Pod>;
  /** Names of pods, in the order in which they were written upstream. */
  readonly written: string[];
  readonly events: EventContent[];
  readonly metrics: () => string;
  /** Called before a patch is looked at; may throw. */
  before: (name: string) => void;
  edit(name: string, phase: string, conditions?: readonly PodCondition[]): void;
  move(connectivity: Connectivity): Promise<void>;
}

let store: TemporaryStore;
const running: Replay[] = [];
beforeEach(async () => {
  store = await createTemporaryStore();
});
afterEach(async () => {
  for (const replay of running.splice(0)) await replay.stop();
  await store[Symbol.asyncDispose]();
});

async function world(names: readonly string[], parallel = 1): Promise<World> {
  const clock = createManualClock();
  const replica = createTestReplica(store.store, {}, { clock, rebase });
  const metrics = createMetricsRegistry();
  const pods = new Map(names.map((name) => [name, podOf(name)]));
  const spec = { resource: 'v1/pods', namespace: '', labelSelector: '', fieldSelector: '' };
  const { id } = replica.addCoverage(spec);
  const changes = [...pods.values()].map((object) => ({ type: 'put' as const, object }));
  replica.apply(id, changes, '5');
  let connectivity = offline;
  let changed: (now: Connectivity) => void = () => undefined;
  let version = 10;
  const find = (name: string): Pod => {
    const pod = pods.get(name);
    if (pod === undefined) throw new SelvedgeError(`pods "${name}" not found`, { code: 'NotFound' });
    return pod;
  };
  const client = {
    get: async (_resource: unknown, { name }: { name: string }) => {
      if (pods.has(name)) return find(name);
      throw new SelvedgeError('not of this node', { code: 'Forbidden' });
    },
    list: async (_resource: unknown, { fieldSelector = '' }: { fieldSelector?: string }) => ({
      metadata: {},
      items: [...pods.values()].filter(
        ({ metadata }) => fieldSelector === `spec.nodeName=edge-1,metadata.name=${metadata.name}`,
      ),
    }),
    patch: async (_resource: unknown, { name }: { name: string }, options: { patch: { body: unknown } }) => {
      here.before(name);
      const bytes = Buffer.from(JSON.stringify(options.patch.body));
      const contentType = 'application/strategic-merge-patch+json';
      const next = applyPatchBody('v1/pods', find(name), { contentType, bytes }) as Pod;
      version += 1;
      pods.set(name, { ...next, metadata: { ...next.metadata, resourceVersion: String(version) } });
      here.written.push(name);
      return find(name);
    },
  };
  const here: World = {
    clock,
    replica,
    pods,
    written: [],
    events: [],
    before: () => undefined,
    metrics: () => metrics.render(),
    replay: createReplay(
      { nodeName: 'edge-1', parallel },
      {
        replica,
        replayPatch,
        heartbeats: { due: false, told: () => undefined },
        client: client as unknown as Pick<KubeClient, 'get' | 'list' | 'patch'>,
        upstream: {
          get connectivity() {
            return connectivity;
          },
          onConnectivity(listener) {
            changed = listener;
            return { [Symbol.dispose]: () => undefined };
          },
        },
        recorder: { record: (_about, content) => void here.events.push(content) },
        clock,
        random: () => 0.5,
        log: recordingLogger(),
        metrics,
      },
    ),
    edit(name, phase, conditions = []) {
      const base = pods.get(name) ?? podOf(name);
      const current: Pod = { ...base, status: { phase, conditions } };
      replica.putOverlay({ resource: 'v1/pods', at: { namespace: 'a', name }, current });
    },
    async move(next) {
      connectivity = next;
      changed(next);
      await clock.advance(0);
    },
  };
  await here.replay.start(new AbortController().signal);
  running.push(here.replay);
  return here;
}

/** What upstream made of it meanwhile. */
const later = (name: string, phase: string, uid = `uid-${name}`): Pod => {
  const pod = podOf(name, phase);
  return { ...pod, metadata: { ...pod.metadata, uid, resourceVersion: '9' } };
};

const phaseOf = (json: string | undefined): string | undefined =>
  json === undefined ? undefined : (JSON.parse(json) as Pod).status?.phase;

const phases = ({ pods }: World): readonly unknown[] =>
  Array.from(pods.values(), ({ status }) => status?.phase);

describe('replay', () => {
  it('sends the last state of each, once, the oldest first', async () => {
    const here = await world(['one', 'two']);
    here.edit('two', 'Running');
    await here.clock.advance(10);
    here.edit('one', 'Running');
    here.edit('two', 'Failed');
    await here.move(online);
    expect(here.written).toEqual(['two', 'one']);
    expect(phases(here)).toEqual(['Running', 'Failed']);
    expect(here.replica.overlays()).toEqual([]);
    await here.move(offline);
    await here.move(online);
    expect(here.written).toHaveLength(2);
  });

  it('writes nothing when upstream says so already', async () => {
    const here = await world(['one']);
    here.edit('one', 'Running');
    here.pods.set('one', podOf('one', 'Running'));
    await here.move(online);
    expect(here.written).toEqual([]);
    expect(here.replica.overlays()).toEqual([]);
    expect(here.metrics()).toContain('selvedge_hub_replays_total{outcome="same"} 1');
  });

  it('leaves a condition alone that somebody else owns', async () => {
    const here = await world(['one']);
    here.edit('one', 'Running', [ready('True')]);
    const gate = { type: 'example.com/gate', status: 'True' };
    here.pods.set('one', podOf('one', 'Pending', [gate]));
    await here.move(online);
    expect(here.pods.get('one')?.status?.conditions).toEqual(
      expect.arrayContaining([gate, expect.objectContaining(ready('True'))]),
    );
  });

  it.each([
    [
      'was deleted',
      'gone',
      'the object was deleted meanwhile',
      [undefined],
      (here: World) => here.pods.delete('one'),
    ],
    [
      'is another one now',
      'replaced',
      'another object has its name now',
      ['Unknown'],
      (here: World) => here.pods.set('one', later('one', 'Unknown', 'new')),
    ],
    [
      'does not take it',
      'refused',
      'the API server refused it: bad',
      ['Unknown'],
      (here: World) => {
        here.pods.set('one', later('one', 'Unknown'));
        here.before = () => {
          throw new SelvedgeError('bad', { code: 'Invalid' });
        };
      },
    ],
  ])('gives up loudly when the object %s', async (_title, outcome, why, told, meanwhile) => {
    const here = await world(['one']);
    here.edit('one', 'Running');
    meanwhile(here);
    const reader = here.replica.reader('v1/pods');
    const { version } = reader;
    await here.move(online);
    // Nobody sees again what upstream had before.
    const changes = reader.changesAfter(version, 10);
    expect(changes === 'expired' ? changes : changes.map(({ after }) => phaseOf(after))).toEqual(told);
    expect(here.written).toEqual([]);
    expect(here.replica.overlays()).toEqual([]);
    expect(here.metrics()).toContain(`selvedge_hub_replays_total{outcome="${outcome}"} 1`);
    expect(here.events).toEqual([
      {
        type: 'Warning',
        reason: 'StatusGivenUp',
        message: `The status of v1/pods a/one, changed here since 2026-01-01T00:00:00Z, was given up: ${why}`,
      },
    ]);
  });

  it('looks again after a conflict', async () => {
    const here = await world(['one']);
    here.edit('one', 'Running');
    let conflicts = 3;
    here.before = () => {
      conflicts -= 1;
      if (conflicts >= 0) throw new SelvedgeError('other', { code: 'Conflict' });
    };
    await here.move(online);
    expect(here.written).toEqual(['one']);
  });

  it('tries again while the cloud stays, and waits while it is away', async () => {
    const here = await world(['one', 'two']);
    here.edit('one', 'Running');
    here.edit('two', 'Running');
    here.before = (name) => {
      if (name === 'one') throw new SelvedgeError('busy', { code: 'ResourceExhausted' });
    };
    await here.move(online);
    expect(here.written).toEqual(['two']);
    await here.move(offline);
    here.before = () => undefined;
    await here.clock.advance(100_000);
    expect(here.written).toEqual(['two']);
    await here.move(online);
    expect(here.written).toEqual(['two', 'one']);
  });

  it('sends what was said while it was sending', async () => {
    const here = await world(['one']);
    here.edit('one', 'Running');
    here.before = () => {
      here.before = () => undefined;
      here.edit('one', 'Succeeded');
    };
    await here.move(online);
    expect(here.written).toEqual(['one', 'one']);
    expect(phases(here)).toEqual(['Succeeded']);
    expect(here.replica.overlays()).toEqual([]);
  });

  it('sends what is laid over while the cloud is there', async () => {
    const here = await world(['one']);
    await here.move(online);
    here.edit('one', 'Running');
    here.replay.soon();
    await here.clock.advance(0);
    expect(here.written).toEqual(['one']);
  });

  it('opens the gate at once when nothing waits', async () => {
    const here = await world(['one']);
    await here.replay.drained(new AbortController().signal);
    expect(here.clock.sleepers).toBe(0);
  });

  it.each(['when all is sent', 'after a while'])('opens the gate %s', async (when) => {
    const here = await world(['one']);
    here.edit('one', 'Running');
    if (when === 'after a while') {
      here.before = () => {
        throw new SelvedgeError('busy', { code: 'ResourceExhausted' });
      };
    }
    let open = false;
    const gate = here.replay.drained(new AbortController().signal).then(() => (open = true));
    await here.clock.advance(5_000);
    expect(open).toBe(false);
    await here.move(online);
    await here.clock.advance(when === 'after a while' ? 10_000 : 1);
    expect(open).toBe(true);
    await gate;
  });

  it('lets a waiter go whose signal aborts', async () => {
    const here = await world(['one']);
    here.edit('one', 'Running');
    const controller = new AbortController();
    const gate = here.replay.drained(controller.signal);
    controller.abort(new Error('enough'));
    await expect(gate).rejects.toThrow('enough');
  });
});
