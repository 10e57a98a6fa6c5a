import { SelvedgeError } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import { describe, expect, it } from 'vitest';
import { type DeleteNodeDeps, deleteNode } from './delete-node.ts';
import { forgetNode } from './forget-node.ts';

const allowed = { 'selvedge.io/allow-deletion': 'true' };
const notFound = new SelvedgeError('there is none', { code: 'NotFound' });
const guarded = new SelvedgeError('node till-5 is Autonomous', { code: 'Forbidden' });
const away = new SelvedgeError('nobody answers', { code: 'Unavailable' });

interface TestCloud {
  /** Why EdgeNodes cannot be written. */
  readonly refusal?: SelvedgeError;
  /** So many attempts to delete the Node are denied. */
  readonly denials?: number;
  /** Of the EdgeNode before; undefined: there is none. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly deletion?: SelvedgeError;
}

function cloudOf(cloud: TestCloud) {
  const { refusal, denials = 0, deletion } = cloud;
  const annotations = 'annotations' in cloud ? cloud.annotations : {};
  const asked: string[] = [];
  const left: string[] = [];
  const clock = createManualClock();
  const stop = new AbortController();
  const state = { annotations, isAway: false };
  const cluster = {
    get: async () => {
      if (state.annotations === undefined) throw notFound;
      return { metadata: { annotations: state.annotations } };
    },
    patch: async (
      _resource: unknown,
      _ref: unknown,
      { patch, signal }: { patch: unknown; signal: AbortSignal },
    ) => {
      signal.throwIfAborted();
      const allows = JSON.stringify(patch).includes('true');
      asked.push(allows ? 'allow' : 'guard');
      if (refusal !== undefined) throw refusal;
      if (state.isAway) throw away;
      state.annotations = allows ? { ...state.annotations, ...allowed } : {};
      return { metadata: {} };
    },
    delete: async () => {
      asked.push('delete');
      if (deletion !== undefined) throw deletion;
      if (asked.filter((one) => one === 'delete').length <= denials) throw guarded;
    },
  };
  const onLeft = (text: string): number => left.push(text);
  // What is written is not looked at by its type here.
  const deps: DeleteNodeDeps = { cluster: cluster as never, clock, signal: stop.signal, onLeft };
  return { asked, left, clock, deps, stop, state };
}

const failureOf = (work: Promise<void>): Promise<unknown> => work.catch((error: unknown) => error);

describe('the guard of nodes that are cut off', () => {
  it('is told before, has heard it a moment later, and guards an EdgeNode again that outlives its Node', async () => {
    const { asked, clock, deps, state } = cloudOf({ denials: 1 });
    const deleted = deleteNode('till-5', deps);
    await clock.asleep();
    await clock.advance(200);
    await deleted;
    expect(asked).toEqual(['allow', 'delete', 'delete', 'guard']);
    expect(state.annotations).toEqual({});
  });

  it('that has heard it and denies it is believed, and guards again', async () => {
    const { asked, clock, deps, state } = cloudOf({ denials: 1_000 });
    const refusal = failureOf(deleteNode('till-5', deps));
    await clock.asleep();
    await clock.advance(6_000);
    expect(await refusal).toBe(guarded);
    expect([asked.at(-1), state.annotations]).toEqual(['guard', {}]);
  });

  it.each([
    ['one may not delete Nodes', new SelvedgeError('no such right', { code: 'Invalid' })],
    ['nobody answers', away],
  ])('guards again when %s', async (_what, deletion) => {
    const { deps, state } = cloudOf({ deletion });
    expect(await failureOf(deleteNode('till-5', deps))).toBe(deletion);
    expect(state.annotations).toEqual({});
  });

  it('guards again when the work is stopped', async () => {
    const { clock, deps, stop, state } = cloudOf({ denials: 1_000 });
    const refusal = failureOf(deleteNode('till-5', deps));
    await clock.asleep();
    stop.abort(new SelvedgeError('stopped', { code: 'Aborted' }));
    expect(await refusal).toMatchObject({ code: 'Aborted' });
    expect(state.annotations).toEqual({});
  });

  it('that cannot be told again after a stop is a note: there is no result', async () => {
    const { clock, deps, left, stop, state } = cloudOf({ denials: 1_000 });
    const progress = { task: async () => Promise.reject(new Error('no task')), note: deps.onLeft };
    const { cluster, signal } = deps;
    const stopped = forgetNode('till-5', { cluster, clock, signal, progress }).catch(
      (error: unknown) => error,
    );
    await clock.asleep();
    state.isAway = true;
    stop.abort(new SelvedgeError('stopped', { code: 'Aborted' }));
    expect(await stopped).toMatchObject({ code: 'Aborted' });
    expect(left).toEqual([expect.stringContaining('selvedge.io/allow-deletion-')]);
  });

  it('that cannot be told again is told by hand', async () => {
    const { clock, deps, left, state } = cloudOf({ denials: 1_000 });
    const refusal = failureOf(deleteNode('till-5', deps));
    await clock.asleep();
    state.isAway = true;
    await clock.advance(6_000);
    expect(await refusal).toBe(guarded);
    expect(left).toEqual([
      expect.stringContaining('kubectl annotate edgenode till-5 selvedge.io/allow-deletion-'),
    ]);
  });

  it('that a person told is left so', async () => {
    const { asked, clock, deps } = cloudOf({ denials: 1, annotations: allowed });
    const deleted = deleteNode('till-5', deps);
    await clock.asleep();
    await clock.advance(200);
    await deleted;
    expect(asked).toEqual(['delete', 'delete']);
  });
});

it.each([
  ['without an EdgeNode', { annotations: undefined }, ['delete']],
  [
    'whose EdgeNodes others write',
    { refusal: new SelvedgeError('you may not patch', { code: 'Forbidden' }) },
    ['allow', 'delete'],
  ],
])('a cluster %s is asked once', async (_what, cloud, expected) => {
  const { asked, deps } = cloudOf({ ...cloud, denials: 1 });
  await expect(deleteNode('till-5', deps)).rejects.toBe(guarded);
  expect(asked).toEqual(expected);
});
