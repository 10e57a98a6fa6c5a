import { SelvedgeError, createMetricsRegistry, raceAbort, withDeadline } from '@selvedge/kit';
import { type ManualClock, createManualClock, recordingLogger, seededRandom } from '@selvedge/kit/testing';
import type { KubeObject, ObjectRef, Resource } from '@selvedge/kube';
import type { Lease, Node } from '@selvedge/kube/types';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RuntimeHealth } from '../runtime/index.ts';
import { type NodeDeps, type NodePresence, createNodePresence } from './node.ts';
import type { ShownNode } from './ports.ts';
import { goodRuntime, merged, nodeOptions, smallHost } from './testing.ts';

const missing = new SelvedgeError('not found', { code: 'NotFound' });

interface HangingPatch {
  readonly patch: { readonly body: unknown };
  readonly timeoutMs?: number | undefined;
  readonly signal: AbortSignal;
}

const never = (timeoutMs: number | undefined, signal: AbortSignal): Promise<unknown> =>
  withDeadline({ what: 'never', timeoutMs: timeoutMs ?? Infinity, signal }, clock, (inner) =>
    raceAbort(new Promise(() => undefined), inner),
  );

/** Nodes and Leases of one node, with the API server's rules for versions. */
class TestApi {
  readonly objects = new Map<string, KubeObject>();
  readonly patches: Node[] = [];
  cut = false;
  /** Writes of the status are never answered. */
  hangs = false;
  #version = 0;

  get node(): Node | undefined {
    return this.objects.get('nodes');
  }

  get lease(): Lease | undefined {
    return this.objects.get('leases');
  }

  readonly client: NodeDeps['client'] = {
    get: async <T extends KubeObject>(resource: Resource<T>) => this.#found(resource.plural) as T,
    create: async <T extends KubeObject>(resource: Resource<T>, object: T) => {
      this.#reach();
      if (this.objects.has(resource.plural)) throw new SelvedgeError('exists', { code: 'AlreadyExists' });
      return this.#store(resource.plural, {
        ...object,
        metadata: { ...object.metadata, uid: `uid-${this.#version}` },
      });
    },
    replace: async <T extends KubeObject>(resource: Resource<T>, object: T) => {
      const known = this.#found(resource.plural);
      if (known.metadata.resourceVersion !== object.metadata.resourceVersion) {
        throw new SelvedgeError('conflict', { code: 'Conflict' });
      }
      return this.#store(resource.plural, object);
    },
    patch: async <T extends KubeObject>(
      resource: Resource<T>,
      _at: ObjectRef,
      { patch, timeoutMs, signal }: HangingPatch,
    ) => {
      if (this.hangs) await never(timeoutMs, signal);
      const known = this.#found(resource.plural) as Node;
      const { metadata, status } = patch.body as Node;
      if (metadata.uid !== known.metadata.uid) throw new SelvedgeError('uid', { code: 'Conflict' });
      this.patches.push(patch.body as Node);
      const labels = { ...known.metadata.labels, ...metadata.labels };
      const labelled = { ...known, metadata: { ...known.metadata, labels } };
      return this.#store(resource.plural, merged(labelled, { status: { ...status } })) as KubeObject as T;
    },
  };

  #store<T extends KubeObject>(plural: string, object: T): T {
    this.#version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.objects.set(plural, stored);
    return stored;
  }

  #found(plural: string): KubeObject {
    this.#reach();
    const found = this.objects.get(plural);
    if (found === undefined) throw missing;
    return found;
  }

  #reach(): void {
    if (this.cut) throw new SelvedgeError('cut', { code: 'Unavailable' });
  }
}

let clock: ManualClock;
let api: TestApi;
let health: RuntimeHealth;
let listeners: (() => void)[];
let shown: ReturnType<ShownNode['get']>;
let log: ReturnType<typeof recordingLogger>;
let presence: NodePresence;
let recorded: string[];

const add = (listener: () => void): Disposable => {
  listeners.push(listener);
  return { [Symbol.dispose]: () => undefined };
};

beforeEach(() => {
  clock = createManualClock();
  api = new TestApi();
  health = goodRuntime;
  listeners = [];
  recorded = [];
  shown = { kind: 'unknown' };
  log = recordingLogger();
  presence = createNodePresence(nodeOptions, {
    client: api.client,
    runtime: {
      get health() {
        return health;
      },
      onHealth: (changed) => add(() => changed(health)),
      images: async () => [{ names: ['pause'], sizeBytes: 1 }],
    },
    kubeletPort: () => 10_250,
    shown: { get: () => shown, subscribe: add },
    readHost: async () => smallHost,
    events: { record: ({ reason }) => recorded.push(reason) },
    clock,
    random: seededRandom(3),
    log,
    metrics: createMetricsRegistry(),
  });
});

afterEach(async () => {
  await presence.stop();
  expect(clock.sleepers).toBe(0);
});

const signal = new AbortController().signal;
const readyOf = (node: Node | undefined): string | undefined =>
  node?.status?.conditions?.find(({ type }) => type === 'Ready')?.reason;
const settle = (): Promise<void> => clock.advance(0);
const poke = async (): Promise<void> => {
  for (const listener of listeners) listener();
  await settle();
};

describe('a node', () => {
  beforeEach(async () => {
    await presence.start(signal);
    await settle();
  });

  test('registers, is Ready at once and owns a Lease', () => {
    expect(readyOf(api.node)).toBe('KubeletReady');
    expect(api.lease?.metadata.ownerReferences).toEqual([
      { apiVersion: 'v1', kind: 'Node', name: 'shop-7', uid: api.node?.metadata.uid },
    ]);
    expect(api.lease?.spec).toEqual({
      holderIdentity: 'shop-7',
      leaseDurationSeconds: 40,
      renewTime: '2026-01-01T00:00:00.000000Z',
    });
  });

  test('renews its Lease every ten seconds and its unchanged status every five minutes or more', async () => {
    const renewals = new Set<string | undefined>();
    for (let seconds = 0; seconds < 60; seconds += 1) {
      renewals.add(api.lease?.spec?.renewTime);
      await clock.advance(1_000);
    }
    expect(renewals.size).toBeGreaterThanOrEqual(6);
    expect(renewals.size).toBeLessThanOrEqual(7);
    expect(api.patches).toHaveLength(1);
    await clock.advance(240_000);
    expect(api.patches).toHaveLength(1);
    await clock.advance(230_000);
    expect(api.patches).toHaveLength(2);
  });

  test('says why it is not ready, and is back as soon as the runtime is', async () => {
    health = { kind: 'down', sinceMs: clock.now() - 60_000, error: 'ENOENT' };
    await poke();
    expect(readyOf(api.node)).toBe('KubeletNotReady');
    health = goodRuntime;
    await poke();
    expect(readyOf(api.node)).toBe('KubeletReady');
    expect(recorded).toEqual(['NodeReady', 'NodeNotReady', 'NodeReady']);
  });

  test('forgives a runtime that is only being restarted, and no longer than that', async () => {
    health = { kind: 'down', sinceMs: clock.now(), error: 'ECONNREFUSED' };
    await poke();
    await clock.advance(9_990);
    expect(readyOf(api.node)).toBe('KubeletReady');
    await clock.advance(20);
    expect(readyOf(api.node)).toBe('KubeletNotReady');
  });

  test('puts right what the node controller wrote while it was away', async () => {
    const conditions = api.node?.status?.conditions?.map((one) => ({ ...one, status: 'Unknown' }));
    const metadata = { ...api.node?.metadata, resourceVersion: '1000' };
    shown = { kind: 'present', object: { metadata, status: { ...api.node?.status, conditions } } };
    await poke();
    expect(api.patches).toHaveLength(2);
    expect(
      api.patches[1]?.status?.conditions?.every(({ lastTransitionTime }) => lastTransitionTime !== undefined),
    ).toBe(true);
  });

  test('renews its Lease while its status cannot be sent, and both again after a cut', async () => {
    api.cut = true;
    health = { kind: 'down', sinceMs: clock.now() - 60_000, error: 'ENOENT' };
    await poke();
    await clock.advance(60_000);
    expect(readyOf(api.node)).toBe('KubeletReady');
    api.cut = false;
    await clock.advance(20_000);
    expect(readyOf(api.node)).toBe('KubeletNotReady');
    expect(Date.parse(api.lease?.spec?.renewTime ?? '')).toBeGreaterThan(clock.now() - 15_000);
  });

  test('gives up a write of its status that hangs, and sends it again', async () => {
    api.hangs = true;
    health = { kind: 'down', sinceMs: clock.now() - 60_000, error: 'ENOENT' };
    await poke();
    await clock.advance(9_000);
    api.hangs = false;
    expect(readyOf(api.node)).toBe('KubeletReady');
    await clock.advance(5_000);
    expect(readyOf(api.node)).toBe('KubeletNotReady');
  });

  test('takes over a Lease that somebody else wrote', async () => {
    const { lease } = api;
    api.objects.set('leases', { ...lease, metadata: { ...lease?.metadata, resourceVersion: '999' } });
    await clock.advance(11_000);
    expect(api.lease?.metadata.resourceVersion).not.toBe('999');
    expect(api.lease?.spec?.renewTime).not.toBe(lease?.spec?.renewTime);
  });

  test('that was deleted is reported once, not registered again, and its Lease is left to end', async () => {
    api.objects.clear();
    shown = { kind: 'absent' };
    await poke();
    await clock.advance(700_000);
    expect(api.objects.size).toBe(0);
    expect(presence.removed).toBe(true);
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  test('is not taken for deleted while only the replica has not seen it yet', async () => {
    shown = { kind: 'absent' };
    await poke();
    await clock.advance(20_000);
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
    expect(api.node).toBeDefined();
    expect(presence.removed).toBe(false);
  });

  test('that was made anew by somebody else counts as deleted', async () => {
    const node = api.node;
    api.objects.set('nodes', { metadata: { ...node?.metadata, uid: 'another' } });
    shown = { kind: 'absent' };
    await poke();
    expect(log.lines.find(({ level }) => level === 'error')?.text).toContain('was deleted');
  });

  test('leaves its status alone when it stops, and says so when the machine does', async () => {
    await presence.announceShutdown(signal);
    expect(readyOf(api.node)).toBe('NodeShutdown');
    const { length } = api.patches;
    await presence.stop();
    expect(api.patches).toHaveLength(length);
  });
});

describe('a Node that is there already', () => {
  test('is taken over: own labels are put right, those of others stay', async () => {
    const labels = { 'kubernetes.io/hostname': 'old', 'example.com/rack': '4' };
    api.objects.set('nodes', {
      metadata: { name: 'shop-7', uid: 'u', resourceVersion: '1', labels },
      status: { nodeInfo: { bootID: 'before' } },
    } as KubeObject);
    await presence.start(signal);
    await settle();
    expect(api.node?.metadata.labels).toMatchObject({
      'kubernetes.io/hostname': 'shop-7',
      'example.com/rack': '4',
      'node.selvedge.io/version': '1.2.3',
    });
    expect(api.node?.metadata.labels).not.toHaveProperty('site');
    expect(recorded).toEqual(['Rebooted', 'NodeReady']);
    expect(readyOf(api.node)).toBe('KubeletReady');
  });
});

test('a start without network does not wait, and registers when it can', async () => {
  api.cut = true;
  await presence.start(signal);
  await clock.advance(30_000);
  expect(api.node).toBeUndefined();
  api.cut = false;
  await clock.advance(16_000);
  expect(readyOf(api.node)).toBe('KubeletReady');
});
