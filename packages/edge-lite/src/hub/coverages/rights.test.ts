import { describe, expect, it } from 'vitest';
import type { Caller } from '../request.ts';
import {
  createCoveragesWorld,
  forbidden,
  nodeCaller,
  podCaller,
  pods,
  refusing,
  secret,
} from './testing-world.ts';

const { signal } = new AbortController();

describe('the right to join', () => {
  it('is asked for where another identity runs the coverage', async () => {
    await using world = await createCoveragesWorld();
    await world.start();
    using first = await world.coverages.join({ spec: pods, caller: nodeCaller }, signal);
    using hold = await world.coverages.join({ spec: pods, caller: podCaller('till') }, signal);
    expect(hold.coverage).toBe(first.coverage);
    expect(world.access.asked).toEqual(
      ['list', 'watch'].map((verb) => `system:serviceaccount:shop:till ${verb} pods`),
    );
  });

  it('is refused in the words of the API server', async () => {
    await using world = await createCoveragesWorld();
    world.access.forbidden.add('system:serviceaccount:shop:till watch secrets');
    await world.start();
    await expect(
      world.coverages.join({ spec: secret, caller: podCaller('till') }, signal),
    ).rejects.toMatchObject({
      code: 'Forbidden',
      message:
        'secrets "login" is forbidden: User "system:serviceaccount:shop:till" cannot watch resource "secrets" ' +
        'in API group "" in the namespace "shop": RBAC says so',
    });
    expect(world.api.requests).toEqual([]);
  });

  it('to watch is enough to watch: the API server asks for no more', async () => {
    await using world = await createCoveragesWorld();
    world.access.forbidden.add('system:serviceaccount:shop:till list pods');
    await world.start();
    using node = await world.coverages.join({ spec: pods, caller: nodeCaller }, signal);
    using hold = await world.coverages.join({ spec: pods, caller: podCaller('till'), verb: 'watch' }, signal);
    expect(hold.coverage).toBe(node.coverage);
    await world.clock.advance(420_000);
    expect(hold.revoked.aborted).toBe(false);
    for (const verb of ['list', undefined] as const) {
      const wish = { spec: pods, caller: podCaller('till'), verb };
      await expect(world.coverages.join(wish, signal)).rejects.toMatchObject({ code: 'Forbidden' });
    }
  });

  it('to watch is not enough to run a coverage: the API server is to answer', async () => {
    await using world = await createCoveragesWorld();
    world.api.refuse = refusing('node');
    world.access.forbidden.add('system:serviceaccount:shop:till list pods');
    await world.start();
    const wish = { spec: pods, caller: podCaller('till'), verb: 'watch' } as const;
    await expect(world.coverages.join(wish, signal)).rejects.toMatchObject({ code: 'Unavailable' });
    expect(world.api.requests.filter((request) => request.includes('as pod'))).toEqual([]);
    expect(world.coverages.all).toEqual([]);
  });

  it('is of a user with his groups and his uid, not of his name', async () => {
    await using world = await createCoveragesWorld();
    await world.start();
    using node = await world.coverages.join({ spec: pods, caller: nodeCaller }, signal);
    const till = podCaller('till');
    const others: readonly Caller[] = [
      till,
      { ...till, user: { ...till.user, uid: 'made anew' } },
      { ...till, user: { ...till.user, groups: [] } },
      { ...till, user: { ...till.user, extra: { scopes: ['none'] } } },
    ];
    for (const caller of others) {
      world.access.asked.length = 0;
      using hold = await world.coverages.join({ spec: pods, caller, verb: 'watch' }, signal);
      expect(world.access.asked).toContain('system:serviceaccount:shop:till watch pods');
    }
  });

  it('is looked at again, and who lost it is told', async () => {
    await using world = await createCoveragesWorld();
    await world.start();
    using till = await world.coverages.join({ spec: pods, caller: podCaller('till') }, signal);
    using scale = await world.coverages.join({ spec: pods, caller: podCaller('scale') }, signal);
    world.access.forbidden.add('system:serviceaccount:shop:till watch pods');
    await world.clock.advance(420_000);
    expect(till.revoked.reason).toMatchObject({ code: 'Forbidden' });
    world.access.forbidden.add('system:serviceaccount:shop:till list pods');
    const list = { spec: pods, caller: podCaller('till'), verb: 'list' } as const;
    await expect(world.coverages.join(list, signal)).rejects.toMatchObject({ code: 'Forbidden' });
    expect(scale.revoked.aborted).toBe(false);
  });

  it('that was withdrawn ends at once', async () => {
    await using world = await createCoveragesWorld();
    await world.start();
    const caller = podCaller('till');
    using hold = await world.coverages.join({ spec: pods, caller }, signal);
    world.access.forbidden.add('system:serviceaccount:shop:till watch pods');
    world.access.withdraw(caller.user, { kind: 'nonResource', verb: 'get', path: '/' });
    await world.clock.advance(0);
    expect(hold.revoked.aborted).toBe(true);
  });

  it('that was withdrawn from who ran the coverage leaves it to the others', async () => {
    await using world = await createCoveragesWorld();
    world.api.refuse = refusing('node');
    await world.start();
    using till = await world.coverages.join({ spec: pods, caller: podCaller('till') }, signal);
    using scale = await world.coverages.join({ spec: pods, caller: podCaller('scale') }, signal);
    await world.clock.advance(0);
    world.access.forbidden.add('system:serviceaccount:shop:till watch pods');
    world.api.refuse = (sponsor) =>
      sponsor.kind === 'pod' && sponsor.serviceAccount === 'scale' ? undefined : forbidden();
    await world.clock.advance(420_000);
    expect([till.revoked.aborted, scale.revoked.aborted]).toEqual([true, false]);
    expect(world.api.requests.at(-1)).toMatch(/as pod shop\/scale$/);
    expect(scale.coverage.state.kind).toBe('live');
    await expect(
      world.coverages.join({ spec: pods, caller: podCaller('till') }, signal),
    ).rejects.toMatchObject({
      code: 'Forbidden',
    });
  });

  it('is asked for once while it is young, however often it is used', async () => {
    await using world = await createCoveragesWorld();
    await world.start();
    const proxy: Caller = {
      kind: 'configured',
      user: { username: 'system:kube-proxy', groups: [] },
      client: 'kube-proxy',
    };
    for (const caller of [proxy, podCaller('till')]) {
      world.access.asked.length = 0;
      for (let minutes = 0; minutes < 60; minutes += 10) {
        using hold = await world.coverages.join({ spec: pods, caller }, signal);
        await world.clock.advance(600_000);
        expect(hold.revoked.aborted).toBe(false);
      }
      const most = caller.kind === 'configured' ? 2 : 24;
      expect(world.access.asked.length).toBeLessThanOrEqual(most);
    }
  });

  it('stays while nobody can be asked', async () => {
    await using world = await createCoveragesWorld();
    await world.start();
    using hold = await world.coverages.join({ spec: pods, caller: podCaller('till') }, signal);
    world.access.unknown = true;
    await world.clock.advance(420_000);
    world.api.cut();
    await world.clock.advance(420_000);
    expect(hold.revoked.aborted).toBe(false);
  });
});
