import { SelvedgeError, createMetricsRegistry, silentLogger } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import { describe, expect, it } from 'vitest';
import type { KubeClient, ListOptions } from '../client.ts';
import type { ConfigMap } from '../gen/types.ts';
import { createKubeMetrics } from '../metrics.ts';
import { resources } from '../resources.ts';
import type { WatchEvent } from '../watch/event.ts';
import type { Watch, WatchOptions } from '../watch/watch.ts';
import { createReflector } from './reflector.ts';
import type { Reflector, ReflectorOptions } from './reflector-types.ts';
import type { ReflectorStore } from './store.ts';

const { signal } = new AbortController();
const map = (name: string): ConfigMap => ({ metadata: { name, resourceVersion: '5' } });
const event = (type: 'ADDED' | 'MODIFIED' | 'DELETED', name: string): WatchEvent<ConfigMap> => ({
  type,
  object: map(name),
});
const end: WatchEvent<ConfigMap> = { type: 'BOOKMARK', resourceVersion: '9', endOfInitialEvents: true };

/** A store that writes down what it is told. */
function diary(): { readonly lines: string[]; readonly store: ReflectorStore<ConfigMap> } {
  const lines: string[] = [];
  const names = (objects: readonly ConfigMap[]): string =>
    objects.map(({ metadata }) => metadata.name).join(',');
  return {
    lines,
    store: {
      beginReplace() {
        lines.push('begin');
        return {
          add: (objects) => void lines.push(`add ${names(objects)}`),
          remove: (objects) => void lines.push(`remove ${names(objects)}`),
          commit: (version) => void lines.push(`commit ${version}`),
          abandon: () => void lines.push('abandon'),
        };
      },
      apply: (events, version) => void lines.push(`apply ${events.length} ${version}`),
    },
  };
}

type Verbs = Pick<KubeClient, 'list' | 'watch'>;
interface Answers {
  readonly batches?: readonly (readonly WatchEvent<ConfigMap>[])[];
  readonly pages?: readonly (readonly string[] | SelvedgeError)[];
}

function verbs({ batches, pages = [] }: Answers, asked: (ListOptions | WatchOptions)[]): Verbs {
  const left = [...pages];
  return {
    async list(_resource: unknown, options: ListOptions) {
      asked.push(options);
      const page = left.shift();
      if (page instanceof SelvedgeError) throw page;
      const more = left.length > 0 ? 'more' : '';
      return { items: (page ?? []).map(map), metadata: { resourceVersion: '7', continue: more } };
    },
    async watch(_resource: unknown, options: WatchOptions) {
      asked.push(options);
      if (batches === undefined && options.sendInitialEvents === true) {
        throw new SelvedgeError('unknown', { code: 'Invalid' });
      }
      return {
        async *[Symbol.asyncIterator]() {
          yield* batches ?? [];
          await new Promise((_, reject) => options.signal.addEventListener('abort', reject));
        },
        close: () => undefined,
      } as Watch<ConfigMap>;
    },
  } as unknown as Verbs;
}

interface World extends AsyncDisposable {
  readonly lines: readonly string[];
  readonly asked: readonly (ListOptions | WatchOptions)[];
  readonly states: readonly string[];
  readonly reflector: Reflector;
}

async function follow(answers: Answers, options: Partial<ReflectorOptions<ConfigMap>> = {}): Promise<World> {
  const clock = createManualClock();
  const { lines, store } = diary();
  const asked: (ListOptions | WatchOptions)[] = [];
  const states: string[] = [];
  const reflector = createReflector<ConfigMap>(
    { resource: resources.configMaps, ...options },
    {
      client: verbs(answers, asked),
      store,
      clock,
      random: () => 0.5,
      log: silentLogger,
      metrics: createKubeMetrics(createMetricsRegistry()),
      onState: ({ kind }) => states.push(kind),
    },
  );
  await reflector.start(signal);
  await clock.advance(0);
  return { lines, asked, states, reflector, [Symbol.asyncDispose]: () => reflector.stop() };
}

describe('a list', () => {
  it('that streams is handed over as it comes', async () => {
    const batches = [[event('ADDED', 'a'), event('ADDED', 'b')], [event('ADDED', 'c')], [end]];
    await using world = await follow({ batches });
    expect(world.lines).toEqual(['begin', 'add a,b', 'add c', 'commit 9']);
    expect(world.states).toEqual(['listing', 'watching']);
  });

  it('that streams takes back what goes while it comes, in the order of the events', async () => {
    const events = [event('ADDED', 'a'), event('DELETED', 'a'), event('ADDED', 'a'), event('MODIFIED', 'a')];
    await using world = await follow({ batches: [[...events, end, event('ADDED', 'b')]] }, { maxObjects: 1 });
    expect(world.lines).toEqual(['begin', 'add a', 'remove a', 'add a,a', 'commit 9', 'apply 1 5']);
  });

  it('in pages is handed over page by page', async () => {
    await using world = await follow({ pages: [['a', 'b'], ['c']] }, { pageSize: 2 });
    expect(world.lines).toEqual(['begin', 'add a,b', 'add c', 'commit 7']);
    expect(world.asked.slice(1, 3)).toMatchObject([{ limit: 2 }, { limit: 2, continue: 'more' }]);
  });

  it('in pages whose version is gone half-way is abandoned and begun anew', async () => {
    const gone = new SelvedgeError('expired', { code: 'Gone' });
    await using world = await follow({ pages: [['a'], gone, ['b']] });
    expect(world.lines).toEqual(['begin', 'add a', 'abandon', 'begin', 'add b', 'commit 7']);
  });

  it('that breaks off is abandoned', async () => {
    const broken = new SelvedgeError('broken', { code: 'Unavailable' });
    await using world = await follow({ pages: [['a'], broken] });
    expect(world.lines).toEqual(['begin', 'add a', 'abandon']);
    expect(world.states.at(-1)).toBe('waiting');
    expect(world.reflector.synced).toBe(false);
  });
});

describe('the requests of a reflector', () => {
  it('ask for watches as long as it is told, at random up to twice that', async () => {
    await using world = await follow({ batches: [[end]] }, { watchTimeoutSeconds: 3_600 });
    expect(world.asked).toMatchObject([{ timeoutSeconds: 5_400 }]);
  });

  it('ask for metadata only, in pages too', async () => {
    await using world = await follow({ pages: [['a']] }, { metadataOnly: true });
    expect(world.asked).toHaveLength(3);
    expect(world.asked.every(({ metadataOnly }) => metadataOnly === true)).toBe(true);
  });
});
