import { SelvedgeError, createMetricsRegistry, type ErrorCode } from '@selvedge/kit';
import { createManualClock, recordingLogger } from '@selvedge/kit/testing';
import { describe, expect, it } from 'vitest';
import type { KubeClient } from '../client.ts';
import type { ConfigMap } from '../gen/types.ts';
import { createKubeMetrics } from '../metrics.ts';
import { resources } from '../resources.ts';
import type { WatchEvent } from '../watch/event.ts';
import type { Watch, WatchOptions } from '../watch/watch.ts';
import { createReflector } from './reflector.ts';
import type { ReflectorOptions } from './reflector-types.ts';
import { gatherReplacement, type Replacement } from './replacement.ts';
import { createIndexedStore, type ReflectorStore } from './store.ts';

type Events = readonly WatchEvent<ConfigMap>[];
/** What a watch does: batches, then an error, its end, or silence. */
interface Script {
  readonly refuse?: SelvedgeError;
  readonly batches?: readonly Events[];
  readonly after?: 'end' | 'silence' | SelvedgeError;
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
const failure = (code: ErrorCode): SelvedgeError => new SelvedgeError(`it is ${code}`, { code });
const map = (name: string, resourceVersion: string): ConfigMap => ({
  metadata: { name, uid: name, resourceVersion },
});
const added = (name: string, version: string): WatchEvent<ConfigMap> => ({
  type: 'ADDED',
  object: map(name, version),
});
const bookmark = (resourceVersion: string, endOfInitialEvents = false): WatchEvent<ConfigMap> => ({
  type: 'BOOKMARK',
  resourceVersion,
  endOfInitialEvents,
});

function world(
  scripts: Script[],
  options: Partial<ReflectorOptions<ConfigMap>> = {},
  lists: string[][] = [],
) {
  const clock = createManualClock();
  const log = recordingLogger();
  const watches: WatchOptions[] = [];
  const play = async function* (
    script: Script,
    signal: AbortSignal,
  ): AsyncGenerator<Events, void, undefined> {
    yield* script.batches ?? [];
    if (script.after === 'end') return;
    if (script.after instanceof SelvedgeError) throw script.after;
    await aborted(signal);
  };
  const client = {
    async list() {
      const names = lists.shift();
      if (names === undefined) throw failure('Unavailable');
      return { items: names.map((name) => map(name, '50')), metadata: { resourceVersion: '50' } };
    },
    async watch(_resource: unknown, watch: WatchOptions) {
      watches.push(watch);
      const script = scripts.shift() ?? { after: 'silence' };
      if (script.refuse !== undefined) throw script.refuse;
      return {
        [Symbol.asyncIterator]: () => play(script, watch.signal),
        close: () => undefined,
      } as Watch<ConfigMap>;
    },
  };
  const store = createIndexedStore<ConfigMap>();
  const replaced: string[] = [];
  const recording: ReflectorStore<ConfigMap> = {
    beginReplace() {
      const replacement = store.beginReplace();
      return {
        ...replacement,
        commit(version) {
          replaced.push(version);
          return replacement.commit(version);
        },
      };
    },
    apply: store.apply.bind(store),
  };
  const reflector = createReflector<ConfigMap>(
    { resource: resources.configMaps, ...options },
    {
      client: client as unknown as Pick<KubeClient, 'list' | 'watch'>,
      store: recording,
      clock,
      random: () => 1,
      log,
      metrics: createKubeMetrics(createMetricsRegistry()),
    },
  );
  return { reflector, store, replaced, watches, clock, log };
}

const { signal } = new AbortController();
const ignored = (): Replacement<ConfigMap> => gatherReplacement<ConfigMap>(() => undefined);

describe('the reflector', () => {
  it('takes a streaming list, then follows the same watch', async () => {
    const { reflector, store, replaced, watches, clock } = world([
      { batches: [[added('a', '5')], [added('b', '6'), bookmark('7', true), added('c', '8')]] },
    ]);
    await reflector.start(signal);
    await reflector.whenSynced(signal);
    await clock.advance(0);
    expect([...store.keys()]).toEqual(['a', 'b', 'c']);
    expect(replaced).toEqual(['7']);
    expect(reflector.resourceVersion).toBe('8');
    expect(watches).toMatchObject([{ sendInitialEvents: true }]);
    expect(reflector.state.kind).toBe('watching');
    await reflector.stop();
    expect(reflector.state.kind).toBe('stopped');
    expect(clock.sleepers).toBe(0);
  });

  it('is not synced before the end of the list, and takes nothing of a list that broke off', async () => {
    const { reflector, store, clock } = world([
      { batches: [[added('a', '5')]], after: failure('Unavailable') },
      { batches: [[added('b', '6'), bookmark('7', true)]] },
    ]);
    await reflector.start(signal);
    await clock.advance(0);
    expect([reflector.synced, store.size, reflector.state.kind]).toEqual([false, 0, 'waiting']);
    await clock.advance(500);
    await reflector.whenSynced(signal);
    expect([...store.keys()]).toEqual(['b']);
    await reflector.stop();
  });

  it('takes a kind that is not defined for none of it, until it is defined, if it may be so', async () => {
    const undefinedKind = { refuse: failure('NotFound') };
    const { reflector, store, replaced, clock, log } = world(
      [
        undefinedKind,
        { batches: [[added('a', '5'), bookmark('7', true)]], after: failure('Unavailable') },
        undefinedKind,
        { batches: [[added('b', '9'), bookmark('9', true)]] },
      ],
      { mayBeUndefined: true },
    );
    await reflector.start(signal);
    await reflector.whenSynced(signal);
    expect([store.size, reflector.state.kind]).toEqual([0, 'waiting']);
    expect(log.lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { text: 'the kind is not defined in this cluster, so there are none' },
    ]);
    await clock.advance(500);
    expect([...store.keys()]).toEqual(['a']);
    await clock.advance(1_000);
    expect([...store.keys()]).toEqual([]);
    await clock.advance(2_000);
    expect([...store.keys()]).toEqual(['b']);
    expect(replaced).toEqual(['', '7', '', '9']);
    await reflector.stop();
  });

  it('leaves a watch at its first bookmark where none are wanted, for one without', async () => {
    const { reflector, watches, clock } = world(
      [
        { batches: [[added('a', '5'), bookmark('7', true)], [bookmark('8')]] },
        { batches: [[added('b', '9')], [bookmark('10')]] },
      ],
      { bookmarks: () => false },
    );
    await reflector.start(signal);
    await reflector.whenSynced(signal);
    await clock.advance(60_000);
    expect(watches).toMatchObject([
      { sendInitialEvents: true, bookmarks: true },
      { resourceVersion: '8', bookmarks: false },
    ]);
    expect([reflector.state.kind, reflector.resourceVersion]).toEqual(['watching', '10']);
    await reflector.stop();
  });

  it('resumes from the last version, bookmarks included, after a break', async () => {
    const { reflector, watches, clock } = world([
      {
        batches: [[bookmark('7', true)], [added('a', '8')], [bookmark('20')]],
        after: failure('Unavailable'),
      },
    ]);
    await reflector.start(signal);
    await reflector.whenSynced(signal);
    await clock.asleep();
    await clock.advance(500);
    expect(watches.map(({ resourceVersion }) => resourceVersion)).toEqual([undefined, '20']);
    expect(reflector.synced).toBe(true);
    await reflector.stop();
  });

  it('watches again at once when the server ends a watch as planned', async () => {
    const { reflector, watches, clock } = world([
      { batches: [[bookmark('7', true)], [added('a', '8')]], after: 'end' },
      { batches: [[added('b', '9')]], after: 'end' },
    ]);
    await reflector.start(signal);
    await clock.advance(0);
    expect(watches.map(({ resourceVersion }) => resourceVersion)).toEqual([undefined, '8', '9']);
    await reflector.stop();
  });

  it('waits when watches end at once without an event', async () => {
    const { reflector, watches, clock } = world([{ after: 'end' }, { after: 'end' }], {
      initialResourceVersion: '3',
    });
    await reflector.start(signal);
    await clock.asleep();
    expect(watches).toHaveLength(1);
    await clock.advance(500);
    expect(watches).toHaveLength(2);
    await clock.advance(999);
    expect(watches).toHaveLength(2);
    await clock.advance(1);
    expect(watches).toHaveLength(3);
    await reflector.stop();
  });

  it('goes on from a version of an earlier run', async () => {
    const { reflector, replaced, watches } = world([{ batches: [[bookmark('43')]] }], {
      initialResourceVersion: '42',
    });
    await reflector.start(signal);
    await reflector.whenSynced(signal);
    expect(watches).toMatchObject([{ resourceVersion: '42' }]);
    expect([replaced, reflector.resourceVersion]).toEqual([[], '43']);
    await reflector.stop();
  });

  it('is not synced by a resumed watch that is only accepted', async () => {
    const { reflector, clock } = world([], { initialResourceVersion: '42' });
    await reflector.start(signal);
    await clock.advance(10_000);
    expect([reflector.state.kind, reflector.synced]).toEqual(['watching', false]);
    await reflector.stop();
  });

  it.each([
    ['an event', added('a', '43')],
    ['a bookmark', bookmark('43')],
    ['a bookmark of the same version', bookmark('42')],
  ])('is synced by %s of a resumed watch', async (_what, first) => {
    const { reflector, clock } = world([{ batches: [[first]] }], { initialResourceVersion: '42' });
    await reflector.start(signal);
    await clock.advance(0);
    expect(reflector.synced).toBe(true);
    await reflector.stop();
  });

  it('is not synced by a resumed watch whose version is gone, but by the list after it', async () => {
    const { reflector, clock } = world(
      [{ after: failure('Gone') }, { batches: [[added('a', '90')]], after: failure('Unavailable') }],
      { initialResourceVersion: '42' },
    );
    await reflector.start(signal);
    await clock.advance(0);
    expect([reflector.state.kind, reflector.synced]).toEqual(['waiting', false]);
    await reflector.stop();
  });

  it.each([
    ['in the answer', { refuse: failure('Gone') }],
    ['in an event', { after: failure('Gone') }],
  ])('lists again, without a wait, when its version is gone: %s', async (_where, script) => {
    const { reflector, replaced, watches } = world(
      [script, { batches: [[added('a', '90'), bookmark('91', true)]] }],
      { initialResourceVersion: '42' },
    );
    await reflector.start(signal);
    await expect.poll(() => replaced).toEqual(['91']);
    expect(watches.map(({ resourceVersion }) => resourceVersion)).toEqual(['42', undefined]);
    await reflector.stop();
  });

  it.each([
    ['Invalid', { refuse: failure('Invalid') }],
    ['Unsupported', { refuse: failure('Unsupported') }],
    ['Invalid in an event', { after: failure('Invalid') }],
  ])('lists in pages, and keeps to it, where streaming lists are refused: %s', async (_how, script) => {
    const { reflector, store, watches, clock } = world(
      [script, { after: failure('Gone') }, { after: 'silence' }],
      {},
      [['a'], ['b']],
    );
    await reflector.start(signal);
    await expect.poll(() => [...store.keys()]).toEqual(['b']);
    await clock.advance(0);
    expect(watches.map(({ sendInitialEvents }) => sendInitialEvents === true)).toEqual([true, false, false]);
    await reflector.stop();
  });

  it('lists in pages where a server takes the request for a streaming list and never ends the list', async () => {
    const { reflector, store, clock } = world([{ batches: [[added('a', '5')]], after: 'silence' }], {}, [
      ['a', 'b'],
    ]);
    await reflector.start(signal);
    await clock.asleep();
    await clock.advance(30_000);
    await reflector.whenSynced(signal);
    expect([...store.keys()]).toEqual(['a', 'b']);
    await reflector.stop();
  });

  it('streams its next list again after a stream that was only slow', async () => {
    const { reflector, watches, clock } = world(
      [{ after: 'silence' }, { after: failure('Gone') }, { batches: [[bookmark('60', true)]] }],
      {},
      [['a']],
    );
    await reflector.start(signal);
    await clock.asleep();
    await clock.advance(30_000);
    await expect.poll(() => reflector.resourceVersion).toBe('60');
    expect(watches.map(({ sendInitialEvents }) => sendInitialEvents === true)).toEqual([true, false, true]);
    await reflector.stop();
  });

  it('refuses a list beyond its cap and says so in its state', async () => {
    const { reflector, clock } = world([{ batches: [[added('a', '1'), added('b', '2')]] }], {
      maxObjects: 1,
    });
    await reflector.start(signal);
    await clock.advance(0);
    expect(reflector.state).toMatchObject({ kind: 'waiting', error: { code: 'ResourceExhausted' } });
    await reflector.stop();
  });

  it('takes no further event while its store is busy', async () => {
    const { reflector, store, clock } = world([
      { batches: [[bookmark('1', true)], [added('a', '2')], [added('b', '3')]] },
    ]);
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const applied: string[] = [];
    const slow = createReflector<ConfigMap>(
      { resource: resources.configMaps },
      {
        client: {
          watch: async (_resource: unknown, options: WatchOptions) => ({
            async *[Symbol.asyncIterator]() {
              yield [bookmark('1', true)];
              applied.push('first taken');
              yield [added('a', '2')];
              applied.push('second taken');
              yield [added('b', '3')];
              await aborted(options.signal);
            },
            close: () => undefined,
          }),
        } as unknown as Pick<KubeClient, 'list' | 'watch'>,
        store: { beginReplace: ignored, apply: () => gate },
        clock,
        random: () => 1,
        log: recordingLogger(),
        metrics: createKubeMetrics(createMetricsRegistry()),
      },
    );
    await slow.start(signal);
    await clock.advance(0);
    expect(applied).toEqual(['first taken']);
    open();
    await clock.advance(0);
    expect(applied).toEqual(['first taken', 'second taken']);
    await slow.stop();
    await reflector.stop();
    expect(store.size).toBe(0);
  });

  it('tries a batch again from the version before it when the store failed', async () => {
    const { watches, clock, log } = world([]);
    const seen: WatchOptions[] = [];
    let fails = true;
    const failing = createReflector<ConfigMap>(
      { resource: resources.configMaps, initialResourceVersion: '1' },
      {
        client: {
          watch: async (_resource: unknown, options: WatchOptions) => {
            seen.push(options);
            return {
              async *[Symbol.asyncIterator]() {
                yield [added('a', '2')];
                await aborted(options.signal);
              },
              close: () => undefined,
            };
          },
        } as unknown as Pick<KubeClient, 'list' | 'watch'>,
        store: {
          beginReplace: ignored,
          apply() {
            if (fails) throw new SelvedgeError('disk full', { code: 'ResourceExhausted' });
          },
        },
        clock,
        random: () => 1,
        log,
        metrics: createKubeMetrics(createMetricsRegistry()),
      },
    );
    await failing.start(signal);
    await clock.asleep();
    fails = false;
    await clock.advance(500);
    expect(seen.slice(0, 2).map(({ resourceVersion }) => resourceVersion)).toEqual(['1', '1']);
    expect(log.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', text: 'list-watch broke off' }),
    );
    expect(watches).toEqual([]);
    await failing.stop();
  });
});
