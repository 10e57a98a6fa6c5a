import { type Listeners, createListeners, createMetricsRegistry, silentLogger } from '@selvedge/kit';
import { type ManualClock, createManualClock, seededRandom } from '@selvedge/kit/testing';
import { type IndexedStore, createIndexedStore, createKubeMetrics } from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import type { SessionView } from '@selvedge/tunnel';
import type { SessionChange } from '@selvedge/tunnel/server';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EdgeNodeObject } from '../edge-nodes/index.ts';
import { type ReporterDeps, createSessionReporter } from './reporter.ts';
import { createSessionWriter } from './writer.ts';

const { signal } = new AbortController();

/** A tunnel whose sessions a test sets, and an API that takes what is written and shows it when it is told to. */
class World {
  readonly clock: ManualClock = createManualClock();
  readonly nodes: IndexedStore<Node> = createIndexedStore();
  readonly edgeNodes: IndexedStore<EdgeNodeObject> = createIndexedStore();
  readonly written: EdgeNodeObject[] = [];
  readonly created: string[] = [];
  readonly #changes: Listeners<SessionChange> = createListeners(silentLogger);
  #sessions: readonly SessionView[] = [];
  #version = 0;
  #stored: EdgeNodeObject | undefined;
  readonly reporter = createSessionReporter({ server: 'a' }, this.#deps());

  #deps(): ReporterDeps {
    const write = (object: EdgeNodeObject): EdgeNodeObject => {
      this.#version += 1;
      this.#stored = {
        ...object,
        metadata: { ...object.metadata, name: 'shop-1', uid: 'u', resourceVersion: String(this.#version) },
      };
      return this.#stored;
    };
    const { clock, edgeNodes, nodes } = this;
    return {
      clock,
      edgeNodes,
      nodes,
      random: seededRandom(1),
      log: silentLogger,
      kubeMetrics: createKubeMetrics(createMetricsRegistry()),
      tunnel: { onChange: (listener) => this.#changes.add(listener) },
      writer: createSessionWriter({
        delete: async () => undefined,
        create: async (_resource, object) => {
          this.created.push(object.metadata.name ?? '');
          return write(object) as never;
        },
        patch: async (_resource, _at, { patch, fieldManager, force, subresource }) => {
          expect([fieldManager, force, subresource]).toEqual(['selvedge-tunnel-server/a', true, 'status']);
          const object = write({ metadata: {}, ...(patch.body as object) });
          this.written.push(object);
          return object as never;
        },
      }),
    };
  }

  connect(sessions: readonly SessionView[]): void {
    this.#sessions = sessions;
    for (const session of sessions) this.#changes.tell({ kind: 'opened', session });
  }

  end(): void {
    for (const session of this.#sessions) this.#changes.tell({ kind: 'ended', session });
    this.#sessions = [];
  }

  /** The watch brings what was written. */
  catchUp(): void {
    if (this.#stored !== undefined) this.edgeNodes.replace([this.#stored], String(this.#version));
  }
}

const session = (id: number): SessionView => ({
  id,
  peer: 'shop-1',
  direction: 'reverse',
  carrier: 'tls',
  version: 1,
  remote: '203.0.113.7:50412',
  sinceMs: 0,
  streams: 0,
  receivedBytes: 0,
  sentBytes: 0,
  state: { kind: 'live' },
});
const node: Node = { metadata: { name: 'shop-1' } };
const idsOf = (world: World): unknown =>
  world.written.map(({ status }) => status?.sessions?.map(({ id }) => id));

let world: World;
beforeEach(async () => {
  world = new World();
  await world.reporter.start(signal);
});
afterEach(async () => {
  await world.reporter.stop();
  expect(world.clock.sleepers).toBe(0);
});

test('sessions that come together are one write, also while the watch is behind', async () => {
  world.nodes.replace([node], '1');
  world.connect([session(1), session(2)]);
  await world.clock.advance(400);
  expect(world.written).toEqual([]);
  await world.clock.advance(200);
  expect([world.created, idsOf(world)]).toEqual([['shop-1'], [['1', '2']]]);
  world.connect([session(1), session(2)]);
  await world.clock.advance(1_200_000);
  world.catchUp();
  await world.clock.advance(1_200_000);
  expect(world.written).toHaveLength(1);
  world.end();
  await world.clock.advance(1_000);
  expect(idsOf(world)).toEqual([['1', '2'], []]);
});

test('an EdgeNode that somebody deletes is made again', async () => {
  world.nodes.replace([node], '1');
  world.connect([session(1)]);
  await world.clock.advance(1_000);
  world.catchUp();
  world.edgeNodes.replace([], '9');
  await world.clock.advance(1_000);
  expect([world.created, idsOf(world)]).toEqual([
    ['shop-1', 'shop-1'],
    [['1'], ['1']],
  ]);
});

test('a node without a Node gets no EdgeNode until it has one', async () => {
  world.connect([session(1)]);
  await world.clock.advance(60_000);
  expect(world.created).toEqual([]);
  world.nodes.replace([node], '1');
  await world.clock.advance(100);
  expect(world.created).toEqual(['shop-1']);
});

test('what an earlier run of this server left is taken away, what others wrote is not its own', async () => {
  const entry = {
    direction: 'reverse',
    state: 'live',
    carrier: 'tls',
    since: 'x',
    version: 1,
    remote: 'y',
  } as const;
  const sessions = ['a', 'b'].map((server) => ({ ...entry, server, id: '7' }));
  const left = { metadata: { name: 'shop-1', uid: 'u', resourceVersion: '0' }, status: { sessions } };
  world.edgeNodes.replace([left], '1');
  await world.clock.advance(100);
  expect(idsOf(world)).toEqual([[]]);
});
