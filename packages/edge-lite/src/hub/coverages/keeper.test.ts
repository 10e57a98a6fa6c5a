import { describe, expect, it } from 'vitest';
import type { CoverageSpec } from '../replica/types.ts';
import type { Caller } from '../request.ts';
import {
  type CoveragesWorld,
  createCoveragesWorld,
  nodeCaller,
  object,
  podCaller,
  pods,
  secret,
  spec,
} from './testing-world.ts';

const { signal } = new AbortController();

describe('one user', () => {
  const selecting = (label: string): CoverageSpec => spec('v1/pods', { labelSelector: label });
  const opened = (world: CoveragesWorld): readonly string[] =>
    world.coverages.all.map(({ record }) => record.labelSelector).toSorted();
  const look = async (world: CoveragesWorld, label: string, caller: Caller): Promise<void> => {
    using hold = await world.coverages.join({ spec: selecting(label), caller }, signal);
  };

  it('pushes out his own coverages with too many questions, also after a restart', async () => {
    await using world = await createCoveragesWorld({ maxCoveragesPerUser: 2 });
    await world.start();
    await look(world, 'scale', podCaller('scale'));
    for (const label of ['a', 'b']) await look(world, label, podCaller('till'));
    await world.restart();
    for (const label of ['c', 'd', 'e']) await look(world, label, podCaller('till'));
    expect(opened(world)).toEqual(['d', 'e', 'scale']);
    using d = await world.coverages.join({ spec: selecting('d'), caller: podCaller('till') }, signal);
    using e = await world.coverages.join({ spec: selecting('e'), caller: podCaller('till') }, signal);
    await expect(look(world, 'f', podCaller('till'))).rejects.toMatchObject({ code: 'ResourceExhausted' });
  });

  it('does not push out what the node needs', async () => {
    await using world = await createCoveragesWorld({ maxCoverages: 3 });
    await world.start();
    for (const label of ['node', 'node2']) await look(world, label, nodeCaller);
    for (const label of ['a', 'b', 'c']) await look(world, label, podCaller('till'));
    expect(opened(world)).toEqual(['c', 'node', 'node2']);
  });
});

describe('expiry', () => {
  const hour = 3_600_000;
  const minute = 60_000;

  it('drops what nobody has held for a day, with its objects', async () => {
    await using world = await createCoveragesWorld();
    world.api.put('pods', object('a'));
    await world.start();
    const hold = await world.coverages.join({ spec: pods, caller: nodeCaller }, signal);
    await hold.coverage.whenSynced(signal);
    await world.clock.advance(30 * hour);
    expect(world.coverages.all).toHaveLength(1);
    hold[Symbol.dispose]();
    await world.clock.advance(23 * hour);
    expect(world.shown('v1/pods')).toEqual(['a']);
    await world.clock.advance(2 * hour);
    expect(world.coverages.all).toEqual([]);
    expect(world.shown('v1/pods')).toEqual([]);
  });

  it('does not go on in a cut, and not from the start after a restart', async () => {
    await using world = await createCoveragesWorld();
    await world.start();
    const hold = await world.coverages.join({ spec: pods, caller: nodeCaller }, signal);
    await hold.coverage.whenSynced(signal);
    await world.clock.advance(minute);
    hold[Symbol.dispose]();
    await world.clock.advance(20 * hour);
    world.api.cut();
    await world.clock.advance(300 * hour);
    expect(world.coverages.all).toHaveLength(1);
    await world.restart();
    world.api.heal();
    await world.clock.advance(2 * hour);
    expect(world.coverages.all).toHaveLength(1);
    await world.clock.advance(4 * hour);
    expect(world.coverages.all).toEqual([]);
  });

  it('comes sooner for what was looked at and not followed', async () => {
    await using world = await createCoveragesWorld();
    await world.start();
    const look = async (): Promise<void> => {
      const hold = await world.coverages.join({ spec: pods, caller: nodeCaller }, signal);
      await world.clock.advance(20_000);
      hold[Symbol.dispose]();
    };
    await look();
    await look();
    await world.clock.advance(8 * minute);
    expect(world.coverages.all).toHaveLength(1);
    await world.clock.advance(4 * minute);
    expect(world.coverages.all).toEqual([]);
    for (let looks = 0; looks < 3; looks += 1) await look();
    await world.clock.advance(2 * hour);
    await world.restart();
    await world.clock.advance(2 * hour);
    expect(world.coverages.all).toHaveLength(1);
  });

  it('counts as followed what is followed when the power goes', async () => {
    await using world = await createCoveragesWorld();
    await world.start();
    await world.coverages.join({ spec: pods, caller: nodeCaller }, signal);
    await world.clock.advance(5 * minute);
    await world.restart();
    await world.clock.advance(hour);
    expect(world.coverages.all).toHaveLength(1);
  });

  it('comes sooner for single config maps and secrets', async () => {
    await using world = await createCoveragesWorld();
    await world.start();
    const hold = await world.coverages.join({ spec: secret, caller: nodeCaller }, signal);
    await hold.coverage.whenSynced(signal);
    hold[Symbol.dispose]();
    await world.clock.advance(480_000);
    expect(world.coverages.all).toHaveLength(1);
    await world.clock.advance(300_000);
    expect(world.coverages.all).toEqual([]);
  });
});
