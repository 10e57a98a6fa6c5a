import { SelvedgeError } from '@selvedge/kit';
import { describe, expect, it } from 'vitest';
import {
  createCoveragesWorld,
  forbidden,
  nodeCaller,
  object,
  own,
  podCaller,
  pods,
  refusing,
  secret,
  spec,
} from './testing-world.ts';

const { signal } = new AbortController();

describe('a join', () => {
  it('opens a coverage, which fills and follows', async () => {
    await using world = await createCoveragesWorld();
    world.api.put('pods', object('a', { spec: { nodeName: 'shop-7' } }));
    world.api.put('pods', object('b', { spec: { nodeName: 'other' } }));
    await world.start();
    using hold = await world.coverages.join({ spec: own, caller: nodeCaller }, signal);
    await hold.coverage.whenSynced(signal);
    await world.clock.advance(0);
    expect(hold.coverage.state.kind).toBe('live');
    expect(world.shown('v1/pods')).toEqual(['a']);
    world.api.put('pods', object('c', { spec: { nodeName: 'shop-7' } }));
    await world.clock.advance(0);
    expect(world.shown('v1/pods')).toEqual(['a', 'c']);
    expect(world.api.requests).toEqual(['stream pods spec.nodeName=shop-7 as node']);
    expect(world.access.asked).toEqual([]);
  });

  it('of little is told by upstream how far it is only once', async () => {
    await using world = await createCoveragesWorld();
    await world.start();
    using hold = await world.coverages.join({ spec: pods, caller: nodeCaller }, signal);
    await hold.coverage.whenSynced(signal);
    world.api.put('secrets', object('a'));
    for (let i = 0; i < 3; i += 1) {
      world.api.bookmark();
      await world.clock.advance(60_000);
    }
    expect(world.api.requests).toEqual(['stream pods as node', 'watch from 11 pods as node']);
    expect(hold.coverage.state.kind).toBe('live');
  });

  it('to what is held already, or to less, asks upstream for nothing', async () => {
    await using world = await createCoveragesWorld();
    await world.start();
    using wide = await world.coverages.join({ spec: pods, caller: nodeCaller }, signal);
    using same = await world.coverages.join({ spec: pods, caller: nodeCaller }, signal);
    using narrow = await world.coverages.join({ spec: own, caller: nodeCaller }, signal);
    using metadata = await world.coverages.join(
      { spec: spec('v1/pods;metadata'), caller: nodeCaller },
      signal,
    );
    for (const one of [same, narrow, metadata]) expect(one.coverage).toBe(wide.coverage);
    expect(world.api.requests).toHaveLength(1);
  });

  it('of metadata does not answer for the whole object', async () => {
    await using world = await createCoveragesWorld();
    await world.start();
    using metadata = await world.coverages.join(
      { spec: spec('v1/pods;metadata'), caller: nodeCaller },
      signal,
    );
    using whole = await world.coverages.join({ spec: pods, caller: nodeCaller }, signal);
    expect(whole.coverage).not.toBe(metadata.coverage);
  });

  it('of a node does not rely on a wider coverage that runs with the token of a pod', async () => {
    await using world = await createCoveragesWorld();
    world.api.refuse = ({ kind }, request) =>
      kind === 'node' && request === 'stream pods' ? forbidden() : undefined;
    await world.start();
    using wide = await world.coverages.join({ spec: pods, caller: podCaller('till') }, signal);
    using narrow = await world.coverages.join({ spec: own, caller: nodeCaller }, signal);
    expect(narrow.coverage).not.toBe(wide.coverage);
  });

  it('of many at the same time is one list-watch', async () => {
    await using world = await createCoveragesWorld();
    await world.start();
    const holds = await Promise.all(
      Array.from({ length: 20 }, () => world.coverages.join({ spec: secret, caller: nodeCaller }, signal)),
    );
    expect(world.api.requests).toEqual(['stream secrets shop metadata.name=login as node']);
    for (const hold of holds) hold[Symbol.dispose]();
  });

  it('is refused as upstream refuses, and nothing is left of it', async () => {
    await using world = await createCoveragesWorld();
    world.api.refuse = refusing('node');
    await world.start();
    await expect(world.coverages.join({ spec: secret, caller: nodeCaller }, signal)).rejects.toMatchObject({
      code: 'Forbidden',
      message: 'no, never',
    });
    expect(world.coverages.all).toEqual([]);
    expect(world.replica.coverages()).toEqual([]);
  });

  it.each(['NotFound', 'Invalid'] as const)('of what cannot be listed is answered with %s', async (code) => {
    await using world = await createCoveragesWorld();
    world.api.refuse = () => new SelvedgeError('not so', { code });
    await world.start();
    await expect(world.coverages.join({ spec: pods, caller: nodeCaller }, signal)).rejects.toMatchObject({
      code,
    });
    expect(world.coverages.all).toEqual([]);
  });

  it('beyond the cap takes the place of what nobody holds, else it is refused', async () => {
    await using world = await createCoveragesWorld({ maxCoverages: 2 });
    await world.start();
    const first = await world.coverages.join({ spec: pods, caller: nodeCaller }, signal);
    using second = await world.coverages.join({ spec: secret, caller: nodeCaller }, signal);
    const third = spec('v1/services');
    await expect(world.coverages.join({ spec: third, caller: nodeCaller }, signal)).rejects.toMatchObject({
      code: 'ResourceExhausted',
    });
    first[Symbol.dispose]();
    using instead = await world.coverages.join({ spec: third, caller: nodeCaller }, signal);
    expect(world.coverages.all).toEqual([second.coverage, instead.coverage]);
  });
});

describe('a cut', () => {
  it('makes coverages stale, and after it they go on where they were', async () => {
    await using world = await createCoveragesWorld();
    world.api.put('pods', object('a'));
    await world.start();
    using hold = await world.coverages.join({ spec: pods, caller: nodeCaller }, signal);
    await hold.coverage.whenSynced(signal);
    const { upstreamVersion } = hold.coverage.record;
    world.api.cut();
    await world.clock.advance(0);
    expect(hold.coverage.state.kind).toBe('stale');
    world.api.put('pods', object('b'));
    await world.clock.advance(3_600_000);
    world.api.requests.length = 0;
    world.api.heal();
    await world.clock.advance(1_000);
    expect(hold.coverage.state.kind).toBe('live');
    expect(world.shown('v1/pods')).toEqual(['a', 'b']);
    expect(world.api.requests).toEqual(['look pods as node', `watch from ${upstreamVersion} pods as node`]);
  });

  it('is over only once what goes up first has gone up', async () => {
    await using world = await createCoveragesWorld();
    await world.start();
    using hold = await world.coverages.join({ spec: pods, caller: nodeCaller }, signal);
    await hold.coverage.whenSynced(signal);
    world.api.cut();
    const replay = Promise.withResolvers<void>();
    world.ready = () => replay.promise;
    world.api.put('pods', object('b'));
    world.api.heal();
    await world.clock.advance(600_000);
    expect([hold.coverage.state.kind, world.shown('v1/pods')]).toEqual(['stale', []]);
    replay.resolve();
    await world.clock.advance(0);
    expect(world.shown('v1/pods')).toEqual(['b']);
  });

  it('ends joins that wait for upstream, and refuses new ones of what is not held', async () => {
    await using world = await createCoveragesWorld();
    await world.start();
    using hold = await world.coverages.join({ spec: pods, caller: nodeCaller }, signal);
    await hold.coverage.whenSynced(signal);
    world.api.cut();
    await expect(world.coverages.join({ spec: secret, caller: nodeCaller }, signal)).rejects.toMatchObject({
      code: 'Unavailable',
    });
    using again = await world.coverages.join({ spec: own, caller: nodeCaller }, signal);
    expect(again.coverage).toBe(hold.coverage);
    world.access.unknown = true;
    await expect(
      world.coverages.join({ spec: pods, caller: podCaller('till') }, signal),
    ).rejects.toMatchObject({
      code: 'Unavailable',
    });
  });
});

describe('a restart', () => {
  it('resumes every coverage from its version, without a list and before anybody asks', async () => {
    await using world = await createCoveragesWorld();
    world.api.put('pods', object('a'));
    await world.start();
    const hold = await world.coverages.join({ spec: pods, caller: nodeCaller }, signal);
    await hold.coverage.whenSynced(signal);
    world.api.put('pods', object('b'));
    await world.restart();
    expect(world.coverages.all.map(({ state }) => state.kind)).toEqual(['stale']);
    await world.clock.advance(1_000);
    expect(world.coverages.all.map(({ state }) => state.kind)).toEqual(['live']);
    expect(world.shown('v1/pods')).toEqual(['a', 'b']);
    expect(world.api.requests.filter((request) => /^(list|stream)/.test(request))).toEqual([]);
  });

  it('in a cut lets those read what they read before', async () => {
    await using world = await createCoveragesWorld();
    world.api.refuse = refusing('node');
    await world.start();
    const hold = await world.coverages.join({ spec: pods, caller: podCaller('till') }, signal);
    await hold.coverage.whenSynced(signal);
    world.api.cut();
    await world.restart();
    world.access.unknown = true;
    using again = await world.coverages.join({ spec: pods, caller: podCaller('till') }, signal);
    expect(again.coverage.state.kind).toBe('stale');
    await expect(world.coverages.join({ spec: pods, caller: nodeCaller }, signal)).rejects.toMatchObject({
      code: 'Unavailable',
    });
  });

  it('after which the history is gone takes a list as a difference', async () => {
    await using world = await createCoveragesWorld();
    for (const name of ['a', 'b']) world.api.put('pods', object(name));
    await world.start();
    const hold = await world.coverages.join({ spec: pods, caller: nodeCaller }, signal);
    await hold.coverage.whenSynced(signal);
    const before = world.object('v1/pods', 'a', 'shop')?.metadata.resourceVersion;
    await world.stop();
    world.api.remove('pods', object('b'));
    world.api.put('pods', object('c'));
    world.api.compact();
    await world.restart();
    await world.clock.advance(1_000);
    expect(world.shown('v1/pods')).toEqual(['a', 'c']);
    expect(world.object('v1/pods', 'a', 'shop')?.metadata.resourceVersion).toBe(before);
    expect(world.coverages.all.map(({ state }) => state.kind)).toEqual(['live']);
  });

  it('against a cluster that was restored from a backup takes what that says', async () => {
    await using world = await createCoveragesWorld();
    world.api.put('pods', object('a', { spec: { priority: 1 } }));
    await world.start();
    const hold = await world.coverages.join({ spec: pods, caller: nodeCaller }, signal);
    await hold.coverage.whenSynced(signal);
    await world.stop();
    world.api.restore(3);
    world.api.put('pods', object('a', { spec: { priority: 0 } }));
    await world.restart();
    await world.clock.advance(1_000);
    expect(world.object('v1/pods', 'a', 'shop')).toMatchObject({ spec: { priority: 0 } });
    expect(world.api.requests).toContain('stream pods as node');
  });
});

describe('sponsors', () => {
  it('are tried in their order until upstream accepts one', async () => {
    await using world = await createCoveragesWorld();
    world.api.refuse = refusing('node');
    await world.start();
    using hold = await world.coverages.join({ spec: pods, caller: podCaller('till') }, signal);
    expect(world.api.requests).toEqual(['stream pods as node', 'stream pods as pod shop/till']);
    expect(hold.coverage.state.kind).not.toBe('suspended');
  });

  it('that are refused later give way to the next one', async () => {
    await using world = await createCoveragesWorld();
    await world.start();
    using hold = await world.coverages.join({ spec: pods, caller: podCaller('till') }, signal);
    await hold.coverage.whenSynced(signal);
    world.api.refuse = refusing('node');
    world.api.breakWatches();
    world.api.put('pods', object('b'));
    await world.clock.advance(2_000);
    expect(world.api.requests.at(-1)).toMatch(/as pod shop\/till$/);
    expect(hold.coverage.state.kind).toBe('live');
    expect(world.shown('v1/pods')).toEqual(['b']);
  });

  it('of whom none is left suspend the coverage, which is served and seldom tried', async () => {
    await using world = await createCoveragesWorld();
    world.api.put('pods', object('a'));
    await world.start();
    using hold = await world.coverages.join({ spec: pods, caller: nodeCaller }, signal);
    await hold.coverage.whenSynced(signal);
    world.api.refuse = refusing('node');
    world.access.forbidden.add('system:node:shop-7 watch pods');
    world.api.breakWatches();
    await world.clock.advance(2_000);
    expect(hold.coverage.state).toEqual({ kind: 'suspended', reason: 'no, never' });
    expect(world.shown('v1/pods')).toEqual(['a']);
    expect(hold.revoked.aborted).toBe(true);
    world.api.requests.length = 0;
    await world.clock.advance(600_000);
    expect(world.api.requests.length).toBeLessThanOrEqual(11);
  });

  it('of whom none is left have other readers come again', async () => {
    await using world = await createCoveragesWorld();
    await world.start();
    using node = await world.coverages.join({ spec: pods, caller: nodeCaller }, signal);
    using pod = await world.coverages.join({ spec: pods, caller: podCaller('till') }, signal);
    await pod.coverage.whenSynced(signal);
    world.api.refuse = forbidden;
    world.api.breakWatches();
    await world.clock.advance(2_000);
    expect(pod.coverage.state.kind).toBe('suspended');
    expect(pod.revoked.reason).toMatchObject({ code: 'Aborted' });
    expect(node.revoked.aborted).toBe(false);
  });

  it('who come later resume a suspended coverage at once', async () => {
    await using world = await createCoveragesWorld({ refusedMs: 86_400_000 });
    await world.start();
    const first = await world.coverages.join({ spec: pods, caller: nodeCaller }, signal);
    await first.coverage.whenSynced(signal);
    first[Symbol.dispose]();
    world.api.refuse = refusing('node');
    world.api.breakWatches();
    await world.clock.advance(40_000);
    expect(first.coverage.state.kind).toBe('suspended');
    using hold = await world.coverages.join({ spec: pods, caller: podCaller('till') }, signal);
    await world.clock.advance(1_000);
    expect(hold.coverage).toBe(first.coverage);
    expect(hold.coverage.state.kind).toBe('live');
  });

  it('take over where the certificate of the node is refused, until it is renewed', async () => {
    await using world = await createCoveragesWorld();
    await world.start();
    using mine = await world.coverages.join({ spec: pods, caller: nodeCaller }, signal);
    using hold = await world.coverages.join({ spec: pods, caller: podCaller('till') }, signal);
    await world.clock.advance(0);
    world.access.asked.length = 0;
    world.api.refuse = ({ kind }) =>
      kind === 'node' ? new SelvedgeError('expired', { code: 'Unauthenticated' }) : undefined;
    world.api.breakWatches();
    await world.clock.advance(40_000);
    expect(hold.coverage.state.kind).toBe('live');
    expect(hold.coverage.running).toMatchObject({ kind: 'pod', serviceAccount: 'till' });
    expect(mine.revoked.aborted).toBe(false);
    expect(world.access.asked).toEqual([]);
  });

  it('whose token is not accepted any more lose it', async () => {
    await using world = await createCoveragesWorld();
    world.api.refuse = ({ kind }) =>
      kind === 'pod' ? new SelvedgeError('who?', { code: 'Unauthenticated' }) : forbidden();
    await world.start();
    await expect(world.coverages.join({ spec: pods, caller: podCaller('till') }, signal)).rejects.toThrow(
      'who?',
    );
    expect(world.forgotten).toEqual(['till']);
  });
});
