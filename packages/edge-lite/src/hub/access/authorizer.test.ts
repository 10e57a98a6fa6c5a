import { SelvedgeError } from '@selvedge/kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { UserInfo } from '../request.ts';
import { type AccessWorld, type ResourceAttributes, createAccessWorld, listing } from './testing.ts';
import type { Attributes, Decision } from './types.ts';

const signal = new AbortController().signal;
const user: UserInfo = { username: 'dns', groups: ['b', 'a', 'system:authenticated'] };
const minuteMs = 60_000;

let world: AccessWorld;
beforeEach(async () => {
  world = await createAccessWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

const authorize = (attributes: Attributes = listing(), who = user): Promise<Decision> =>
  world.access.authorize(who, attributes, signal);
const asked = (): number => world.api.accessReviews.length;

describe('a decision', () => {
  beforeEach(() => world.api.allowed.add('dns list services shop'));

  test('is what the API server says, with its reason', async () => {
    expect(await authorize()).toEqual({ allowed: true, reason: 'asked for dns list services shop' });
    expect((await authorize(listing({ namespace: 'other' }))).allowed).toBe(false);
  });

  test('is asked for with the user, the attributes and the selectors as they are', async () => {
    const who = { ...user, uid: 'u', extra: { key: ['value'] } };
    await authorize(
      listing({ fieldSelector: 'spec.nodeName=edge', labelSelector: 'a in (b)', name: 'n' }),
      who,
    );
    expect(world.api.accessReviews[0]?.spec).toEqual({
      user: 'dns',
      uid: 'u',
      groups: who.groups,
      extra: { key: ['value'] },
      resourceAttributes: {
        verb: 'list',
        group: '',
        version: 'v1',
        resource: 'services',
        subresource: '',
        namespace: 'shop',
        name: 'n',
        fieldSelector: { rawSelector: 'spec.nodeName=edge' },
        labelSelector: { rawSelector: 'a in (b)' },
      },
    });
  });

  test('is asked for once in five minutes, and once for all who ask at the same time', async () => {
    await Promise.all([authorize(), authorize(), authorize()]);
    await world.clock.advance(5 * minuteMs - 1);
    await authorize();
    expect(asked()).toBe(1);
    await world.clock.advance(1);
    await authorize();
    expect(asked()).toBe(2);
  });

  test('is of one user with his groups, whatever their order and his token', async () => {
    await authorize();
    await authorize(listing(), { ...user, groups: user.groups.toReversed() });
    const credential = { 'authentication.kubernetes.io/credential-id': ['JTI=2'] };
    await authorize(listing(), { ...user, extra: credential });
    expect(asked()).toBe(1);
    await authorize(listing(), { ...user, groups: [...user.groups, 'c'] });
    await authorize(listing(), { ...user, uid: 'another' });
    await authorize(listing(), { ...user, extra: { ...credential, scope: ['x'] } });
    expect(asked()).toBe(4);
  });

  test.each([
    { verb: 'watch' },
    { group: 'apps' },
    { version: 'v2' },
    { resource: 'pods' },
    { subresource: 'status' },
    { namespace: 'b' },
    { name: 'n' },
    { labelSelector: 'a' },
    { fieldSelector: 'metadata.name=a' },
  ] satisfies Partial<ResourceAttributes>[])('is of one question: not of %o', async (changed) => {
    await authorize();
    await authorize(listing(changed));
    expect(asked()).toBe(2);
  });

  test('counts offline whatever its age, a refusal too, across a restart', async () => {
    await authorize();
    await authorize(listing({ namespace: 'other' }));
    world.api.go('offline');
    await world.clock.advance(1_000 * minuteMs);
    await world.restart();
    expect((await authorize()).allowed).toBe(true);
    expect((await authorize(listing({ namespace: 'other' }))).allowed).toBe(false);
    expect(asked()).toBe(2);
    expect(world.metrics()).toContain('selvedge_access_decisions_total{source="stale",outcome="allowed"} 1');
  });

  test('that nobody asked for is not made up', async () => {
    world.api.go('offline');
    await expect(authorize()).rejects.toMatchObject({ code: 'Unavailable' });
  });

  test.each([
    'Unavailable',
    'DeadlineExceeded',
    'Unauthenticated',
    'Forbidden',
    'ResourceExhausted',
    'Internal',
  ] as const)('counts when the API server answers the hub with %s', async (code) => {
    await authorize();
    await world.clock.advance(6 * minuteMs);
    world.api.failure = new SelvedgeError('not you', { code });
    expect((await authorize()).allowed).toBe(true);
    world.api.failure = new SelvedgeError('no such thing', { code: 'Invalid' });
    await expect(authorize()).rejects.toMatchObject({ code: 'Invalid' });
  });

  test('that only got younger is written to disk once an hour', async () => {
    const start = world.clock.now();
    const ageOnDisk = (): number => (world.saved('hub-decision')[0]?.['askedAtMs'] as number) - start;
    for (let minute = 0; minute < 60; minute += 6) {
      await authorize();
      await world.clock.advance(6 * minuteMs);
    }
    expect([asked(), ageOnDisk()]).toEqual([10, 0]);
    await authorize();
    expect(ageOnDisk()).toBe(60 * minuteMs);
  });

  test('of one user is not pushed out by those of another, nor the ones of the node by anybody', async () => {
    await using small = await createAccessWorld({ maxDecisions: 6, maxDecisionsPerUser: 3 });
    const may = (username: string, namespace: string): Promise<Decision> =>
      small.access.authorize({ username, groups: [] }, listing({ namespace }), signal);
    for (const one of ['a', 'b', 'c', 'd']) await may('system:node:edge', one);
    await may('dns', 'a');
    for (let at = 0; at < 20; at += 1) {
      for (const greedy of ['x', 'y', 'z']) await may(greedy, `n${at}`);
    }
    small.api.go('offline');
    await small.restart();
    for (const one of ['a', 'b', 'c', 'd']) await may('system:node:edge', one);
    await may('dns', 'a');
    await expect(may('x', 'n0')).rejects.toMatchObject({ code: 'Unavailable' });
    expect(small.saved('hub-decision').length).toBeLessThanOrEqual(10);
  });

  test('is forgotten, on disk too, when there are too many', async () => {
    await using small = await createAccessWorld({ maxDecisions: 2 });
    for (const namespace of ['a', 'b', 'c']) {
      await small.access.authorize(user, listing({ namespace }), signal);
    }
    small.api.go('offline');
    await small.restart();
    const again = (namespace: string): Promise<Decision> =>
      small.access.authorize(user, listing({ namespace }), signal);
    await expect(again('a')).rejects.toMatchObject({ code: 'Unavailable' });
    expect((await again('b')).allowed).toBe(false);
    expect(small.metrics()).toContain('selvedge_access_remembered_decisions 2');
  });
});

describe('a wider decision', () => {
  const everywhere = listing({ namespace: '' });

  test('that allows all of a resource allows some of it', async () => {
    world.api.allowed.add('dns list services');
    await authorize(everywhere);
    const some = [
      { namespace: 'a' },
      { name: 'n' },
      { labelSelector: 'x' },
      { fieldSelector: 'metadata.name=x' },
    ];
    for (const changed of some) expect((await authorize(listing(changed))).allowed).toBe(true);
    expect(asked()).toBe(1);
    world.api.go('offline');
    await world.clock.advance(60 * minuteMs);
    expect((await authorize(listing({ namespace: 'b' }))).allowed).toBe(true);
  });

  test('that refuses says nothing of a narrower one', async () => {
    world.api.allowed.add('dns list services shop');
    expect((await authorize(everywhere)).allowed).toBe(false);
    expect((await authorize()).allowed).toBe(true);
  });

  test('of another verb, group or subresource, or of get, says nothing', async () => {
    for (const verb of ['list', 'get']) world.api.allowed.add(`dns ${verb} services`);
    await authorize(everywhere);
    await authorize(listing({ namespace: '', verb: 'get' }));
    for (const changed of [{ verb: 'get' }, { verb: 'watch' }, { group: 'x' }, { subresource: 'status' }]) {
      expect((await authorize(listing(changed))).allowed).toBe(false);
    }
  });

  test('that got old is not used online: the question itself is asked', async () => {
    world.api.allowed.add('dns list services');
    await authorize(everywhere);
    await world.clock.advance(6 * minuteMs);
    expect((await authorize()).allowed).toBe(false);
  });
});

describe('objects that somebody gets one by one', () => {
  const getting = (name: string, changed: Partial<ResourceAttributes> = {}): ResourceAttributes =>
    listing({ verb: 'get', resource: 'secrets', name, ...changed });
  const may = async (name: string, changed: Partial<ResourceAttributes> = {}): Promise<boolean> =>
    (await authorize(getting(name, changed))).allowed;
  const all = 'dns get secrets shop';
  const names = Array.from({ length: 1_000 }, (_, at) => `name-${at}`);
  const askedNames = (): readonly (string | undefined)[] =>
    world.api.accessReviews.map(({ spec }) => spec.resourceAttributes?.name);

  test("are one question for who may get all of them, asked without a name and with nobody's", async () => {
    world.api.allowed.add(all);
    for (const name of names) expect(await may(name)).toBe(true);
    expect(askedNames()).toEqual(['', 'unguessable']);
  });

  test('are one question each, and one more, for who may get some of them', async () => {
    for (const name of ['a', 'b']) world.api.allowed.add(`${all}/${name}`);
    expect([await may('a'), await may('b'), await may('c'), await may('a')]).toEqual([
      true,
      true,
      false,
      true,
    ]);
    expect(askedNames()).toEqual(['', 'a', 'b', 'c']);
  });

  test('are not all of them for who may get the one without a name', async () => {
    world.api.allowed.add(`${all}/`);
    expect(await may('a')).toBe(false);
    expect(askedNames()).toEqual(['', 'unguessable', 'a']);
  });

  test.each([
    { namespace: 'b' },
    { resource: 'pods' },
    { group: 'x' },
    { subresource: 's' },
    { verb: 'delete' },
  ])('are others with %o', async (changed) => {
    world.api.allowed.add(all);
    expect(await may('a')).toBe(true);
    expect(await may('a', changed)).toBe(false);
    expect(asked()).toBeGreaterThan(2);
  });

  test('are lost with the right to all of them, as soon as it is five minutes old', async () => {
    world.api.allowed.add(all);
    const withdrawn: string[] = [];
    world.access.onWithdrawn((who, { verb }) => withdrawn.push(`${who.username} ${verb}`));
    await may('a');
    world.api.allowed.clear();
    await world.clock.advance(5 * minuteMs - 1);
    expect(await may('b')).toBe(true);
    await world.clock.advance(1);
    expect([await may('a'), await may('b')]).toEqual([false, false]);
    expect(withdrawn).toEqual(['dns get']);
  });

  test('count offline as the API server decided last, of all or of one', async () => {
    world.api.allowed.add(`${all}/b`);
    expect([await may('a'), await may('b')]).toEqual([false, true]);
    await world.clock.advance(6 * minuteMs);
    world.api.allowed.add(all);
    expect(await may('b')).toBe(true);
    await world.clock.advance(6 * minuteMs);
    world.api.go('offline');
    await world.restart();
    expect([await may('a'), await may('c')]).toEqual([true, true]);
    world.api.go('online');
    world.api.allowed.delete(all);
    expect([await may('a'), await may('b')]).toEqual([false, true]);
    world.api.go('offline');
    await world.restart();
    expect([await may('a'), await may('b')]).toEqual([false, true]);
    await expect(may('c')).rejects.toMatchObject({ code: 'Unavailable' });
  });

  test('are asked for by name where a decision of now is wanted of who may get some of them', async () => {
    world.api.allowed.add(`${all}/a`);
    await may('a');
    world.api.allowed.clear();
    expect((await world.access.reauthorize(user, getting('a'), signal)).allowed).toBe(false);
  });

  test('are not asked for twice at an API server that does not answer', async () => {
    world.api.failure = new SelvedgeError('gone', { code: 'Unavailable' });
    await expect(may('a')).rejects.toMatchObject({ code: 'Unavailable' });
    expect(world.api.calls.filter((kind) => kind === 'SubjectAccessReview')).toHaveLength(1);
  });
});
