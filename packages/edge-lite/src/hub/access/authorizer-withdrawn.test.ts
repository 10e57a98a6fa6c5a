import { SelvedgeError } from '@selvedge/kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { UserInfo } from '../request.ts';
import { type AccessWorld, createAccessWorld, listing } from './testing.ts';
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

describe('what was withdrawn', () => {
  let withdrawn: (readonly [string, Attributes])[];
  beforeEach(() => {
    withdrawn = [];
    world.access.onWithdrawn((who, attributes) => withdrawn.push([who.username, attributes]));
    world.api.allowed.add('dns list services shop');
  });
  const again = async (attributes: Attributes = listing()): Promise<boolean> =>
    (await world.access.reauthorize(user, attributes, signal)).allowed;

  test('is told when it is asked for again', async () => {
    await authorize();
    world.api.allowed.clear();
    await world.clock.advance(5 * minuteMs);
    expect(withdrawn).toEqual([]);
    expect((await authorize()).allowed).toBe(false);
    expect(withdrawn).toEqual([['dns', listing()]]);
  });

  test('is asked for again in the other ways to read the same, and offline they count as they were', async () => {
    const list = listing();
    const watch = listing({ verb: 'watch' });
    world.api.allowed.add('dns watch services shop');
    for (const one of [list, watch]) await authorize(one);
    world.api.allowed.clear();
    expect(await again(watch)).toBe(false);
    world.api.go('offline');
    expect((await authorize(list)).allowed).toBe(true);
    world.api.go('online');
    expect((await authorize(list)).allowed).toBe(false);
  });

  test('is found out at once by who goes on using it, and told once', async () => {
    await authorize();
    expect(await again()).toBe(true);
    world.api.allowed.clear();
    expect([await again(), await again()]).toEqual([false, false]);
    expect(withdrawn).toEqual([['dns', listing()]]);
    expect(asked()).toBe(4);
  });

  test('is told too of a yes that followed from a wider one', async () => {
    world.api.allowed.clear();
    world.api.allowed.add('dns list services');
    await authorize(listing({ namespace: '' }));
    await authorize();
    world.api.allowed.clear();
    expect(await again()).toBe(false);
    expect(withdrawn).toEqual([['dns', listing()]]);
  });

  test('is known when the cloud is back, not before', async () => {
    await authorize();
    world.api.go('offline');
    world.api.allowed.clear();
    expect(await again()).toBe(true);
    world.api.go('online');
    expect(await again()).toBe(false);
    expect(withdrawn).toHaveLength(1);
  });

  test('is not believed of an API server that fails', async () => {
    await authorize();
    for (const code of ['Internal', 'Unavailable'] as const) {
      world.api.failure = new SelvedgeError('gone', { code });
      expect(await again()).toBe(true);
    }
    expect(withdrawn).toEqual([]);
  });

  test('is told to nobody who was never allowed, or does not listen any more', async () => {
    const listener = world.access.onWithdrawn(() => withdrawn.push(['late', listing()]));
    listener[Symbol.dispose]();
    expect(await again(listing({ namespace: 'other' }))).toBe(false);
    await authorize();
    world.api.allowed.clear();
    await again();
    expect(withdrawn).toEqual([['dns', listing()]]);
  });
});

describe('paths', () => {
  const get = (path: string, verb = 'get'): Attributes => ({ kind: 'nonResource', verb, path });

  test.each([
    '/api',
    '/api/v1',
    '/apis',
    '/apis/apps/v1',
    '/openapi/v3',
    '/version',
    '/version/',
    '/livez',
    '/readyz',
  ])('%s is open to everybody who is authenticated, offline too', async (path) => {
    world.api.go('offline');
    expect((await authorize(get(path))).allowed).toBe(true);
  });

  test.each(['/metrics', '/apiserver', '/versions', '/logs', '/livez/etcd', '/debug/api', '/openid/v1/jwks'])(
    '%s is asked for',
    async (path) => {
      expect((await authorize(get(path))).allowed).toBe(false);
      expect(world.api.accessReviews[0]?.spec.nonResourceAttributes).toEqual({ verb: 'get', path });
    },
  );

  test('nothing is open to those who are not, or for another verb', async () => {
    expect((await authorize(get('/api'), { username: 'x', groups: [] })).allowed).toBe(false);
    expect((await authorize(get('/api', 'post'))).allowed).toBe(false);
  });
});
