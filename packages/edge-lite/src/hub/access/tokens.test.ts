import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SelvedgeError, hasCode } from '@selvedge/kit';
import { fc } from '@fast-check/vitest';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Caller } from '../request.ts';
import { hashOfToken } from './bearer-token.ts';
import { type AccessWorld, createAccessWorld } from './testing.ts';
import { newTokenKey, signToken, signWithPublicKey, unsignedToken } from './testing-tokens.ts';

const signal = new AbortController().signal;
const pod = { namespace: 'shop', name: 'till', uid: 'till-uid' };
const elsewhere = { namespace: 'shop', name: 'other', uid: 'other-uid' };
const hourMs = 3_600_000;
const unavailable = new SelvedgeError('no answer', { code: 'Unavailable' });

let world: AccessWorld;
beforeEach(async () => {
  world = await createAccessWorld();
  world.pods.add(pod.uid);
});
afterEach(() => world[Symbol.asyncDispose]());

const authenticate = (bearerToken: string): Promise<Caller> =>
  world.access.authenticate({ certificate: undefined, bearerToken, remoteAddress: '10.0.0.1' }, signal);
/** What a token says, whatever its spelling. */
const bytesOf = (token: string): string =>
  token
    .split('.')
    .map((part) => Buffer.from(part, 'base64url').toString('hex'))
    .join('.');
const reviews = (): number => world.api.calls.filter((call) => call === 'TokenReview').length;

describe('online', () => {
  test('the API server says whose a token is, its pod with it', async () => {
    const token = world.api.token(pod);
    const caller = await authenticate(token);
    expect(caller).toMatchObject({ kind: 'token', token, pod });
    expect(caller.user.username).toBe('system:serviceaccount:shop:app');
    expect(caller.user.groups).toContain('system:authenticated');
  });

  test('a token is asked about once in two minutes, and once for all who come at the same time', async () => {
    const token = world.api.token(pod);
    await Promise.all([authenticate(token), authenticate(token), authenticate(token)]);
    await world.clock.advance(119_000);
    await authenticate(token);
    expect(reviews()).toBe(1);
    await world.clock.advance(2_000);
    await authenticate(token);
    expect(reviews()).toBe(2);
  });

  test('a refusal is believed for ten seconds', async () => {
    const token = world.api.token(pod);
    world.api.revoked.add(token);
    await expect(authenticate(token)).rejects.toMatchObject({ code: 'Unauthenticated' });
    world.api.revoked.clear();
    await expect(authenticate(token)).rejects.toMatchObject({ code: 'Unauthenticated' });
    await world.clock.advance(10_000);
    expect((await authenticate(token)).kind).toBe('token');
  });

  test('a client that goes away does not spoil the question for another', async () => {
    const gate = Promise.withResolvers<void>();
    world.api.gate = gate.promise;
    const token = world.api.token(pod);
    const leaving = new AbortController();
    const presented = { certificate: undefined, bearerToken: token, remoteAddress: '' };
    const first = world.access.authenticate(presented, leaving.signal);
    const second = authenticate(token);
    leaving.abort(new Error('gone'));
    await expect(first).rejects.toThrow('gone');
    gate.resolve();
    expect((await second).kind).toBe('token');
    expect(reviews()).toBe(1);
  });

  test('neither disk nor log holds a token', async () => {
    const token = world.api.token(pod);
    await authenticate(token);
    await world.restart();
    expect(JSON.stringify(world.log.lines)).not.toContain(token);
    const files = await readdir(world.folder);
    const disk = await Promise.all(files.map((file) => readFile(join(world.folder, file), 'latin1')));
    expect(disk.join()).toContain(hashOfToken(token));
    for (const part of token.split('.')) expect(disk.join()).not.toContain(part.slice(0, 40));
  });
});

/** Keys that the cluster did not make, or has not published yet. To find one takes its time: these serve all tests. */
const [stranger, second] = [newTokenKey('first'), newTokenKey('second')];
const curve = newTokenKey('curve', 'ES256');

describe('made-up tokens', () => {
  const madeUp = (at: number): string =>
    signToken(curve, { alg: 'ES256', kid: `unknown-${at}` }, { ...world.api.claims(pod), jti: `${at}` });

  test('are reviewed a few at a time and so many a second, the others told to come again', async () => {
    const gate = Promise.withResolvers<void>();
    world.api.gate = gate.promise;
    const all = Array.from({ length: 500 }, (_, at) =>
      authenticate(madeUp(at)).catch((error: unknown) => error),
    );
    await world.clock.advance(0);
    expect(reviews()).toBe(4);
    gate.resolve();
    const told = (await Promise.all(all)).filter((answer) => hasCode(answer, 'ResourceExhausted'));
    expect([reviews(), told.length]).toEqual([32, 468]);
    await world.clock.advance(1_000);
    for (let at = 500; at < 600; at += 1) await authenticate(madeUp(at)).catch(() => undefined);
    expect(reviews()).toBe(37);
  });

  test('do not stand in the way of tokens that the cluster signed', async () => {
    for (let at = 0; at < 100; at += 1) await authenticate(madeUp(at)).catch(() => undefined);
    const before = reviews();
    for (let at = 0; at < 100; at += 1) await authenticate(world.api.token(pod, { jti: `${at}` }));
    expect(reviews()).toBe(before + 100);
  });

  test('under the name of a key of the cluster are not even asked about', async () => {
    const claims = world.api.claims(pod);
    const header = { alg: 'RS256', kid: 'first' };
    const legacy = { ...claims, iss: 'kubernetes/serviceaccount' };
    for (const token of [signToken(stranger, header, claims), signToken(stranger, header, legacy)]) {
      await expect(authenticate(token)).rejects.toThrow('is not signed by the key that it names');
    }
    await expect(authenticate(signWithPublicKey(world.api.key, claims))).rejects.toThrow('is not signed');
    expect(reviews()).toBe(0);
    expect((await authenticate(signToken(world.api.key, header, legacy))).kind).toBe('token');
  });

  test('that are refused push out no good answers', async () => {
    await using small = await createAccessWorld({ maxTokens: 4 });
    const ask = (bearerToken: string): Promise<Caller> =>
      small.access.authenticate({ certificate: undefined, bearerToken, remoteAddress: '' }, signal);
    const good = small.api.token(pod);
    await ask(good);
    for (let at = 0; at < 20; at += 1) {
      const token = small.api.token(pod, { jti: `${at}` });
      small.api.revoked.add(token);
      await expect(ask(token)).rejects.toMatchObject({ code: 'Unauthenticated' });
    }
    const before = small.api.calls.length;
    expect((await ask(good)).kind).toBe('token');
    expect(small.api.calls.length).toBe(before);
  });
});

describe('with the cloud away', () => {
  test('a token of a pod of this node is verified by the keys that the cluster published', async () => {
    const token = world.api.token(pod);
    world.api.go('offline');
    await world.restart();
    expect(await authenticate(token)).toMatchObject({ kind: 'token', pod });
    expect(reviews()).toBe(0);
  });

  test('the user is the same as the API server makes of it', async () => {
    const token = world.api.token(pod);
    const { user } = await authenticate(token);
    await world.restart();
    world.api.go('offline');
    expect((await authenticate(token)).user).toEqual(user);
    expect((await authenticate(world.api.token(pod, { jti: 'x' }))).user).toEqual({
      ...user,
      extra: { ...user.extra, 'authentication.kubernetes.io/credential-id': ['JTI=x'] },
    });
  });

  test('an elliptic key verifies as well', async () => {
    world.api.key = curve;
    world.api.published = [world.api.key];
    world.api.go('online');
    await world.clock.advance(0);
    const token = world.api.token(pod);
    world.api.go('offline');
    expect((await authenticate(token)).kind).toBe('token');
  });

  test.each([
    ['accepted before', (token: string) => authenticate(token)],
    ['handed out by the hub', async (token: string) => world.handedOut.add(hashOfToken(token))],
  ])('an expired token is good if it was %s', async (_how, before) => {
    const token = world.api.token(pod);
    await before(token);
    world.api.go('offline');
    await world.clock.advance(30 * 24 * hourMs);
    await world.restart();
    expect((await authenticate(token)).kind).toBe('token');
  });

  test('an unbound token is good if it was accepted before', async () => {
    const unbound = { namespace: 'shop', serviceaccount: { name: 'app', uid: 'app-uid' } };
    const token = world.api.token(pod, { 'kubernetes.io': unbound });
    const unseen = world.api.token(pod, { 'kubernetes.io': unbound, jti: 'unseen' });
    await authenticate(token);
    world.api.go('offline');
    expect((await authenticate(token)).kind).toBe('token');
    await expect(authenticate(unseen)).rejects.toMatchObject({ code: 'Unauthenticated' });
  });

  test('a token that the API server came to refuse is refused', async () => {
    const token = world.api.token(pod);
    await authenticate(token);
    await world.clock.advance(121_000);
    world.api.revoked.add(token);
    await expect(authenticate(token)).rejects.toMatchObject({ code: 'Unauthenticated' });
    world.api.go('offline');
    await world.clock.advance(2 * hourMs);
    await expect(authenticate(token)).rejects.toMatchObject({ code: 'Unauthenticated' });
  });

  test('an unbound token is good until it ends, be the clock set back; one in a Secret has no end', async () => {
    const unbound = { namespace: 'shop', serviceaccount: { name: 'app', uid: 'app-uid' } };
    const token = world.api.token(pod, { 'kubernetes.io': unbound });
    const endless = world.api.token(pod, { 'kubernetes.io': unbound, exp: undefined });
    for (const one of [token, endless]) await authenticate(one);
    await world.clock.advance(hourMs);
    world.api.go('offline');
    expect((await authenticate(token)).kind).toBe('token');
    world.api.go('online');
    await world.clock.advance(61_000);
    await authenticate(endless);
    world.api.go('offline');
    await expect(authenticate(token)).rejects.toThrow('is bound to no pod and has expired');
    world.clock.setNow(0);
    await expect(authenticate(token)).rejects.toThrow('is bound to no pod and has expired');
    expect((await authenticate(endless)).kind).toBe('token');
  });

  test('a token of the future is good while the clock cannot be right', async () => {
    const token = world.api.token(pod);
    world.api.go('offline');
    world.clock.setNow(0);
    await world.restart();
    expect((await authenticate(token)).kind).toBe('token');
  });

  test.each(['Unavailable', 'Unauthenticated', 'Forbidden', 'ResourceExhausted', 'Internal'] as const)(
    'an API server that answers the hub with %s is taken as away',
    async (code) => {
      const token = world.api.token(pod);
      world.api.failure = new SelvedgeError('not you', { code });
      expect((await authenticate(token)).kind).toBe('token');
    },
  );
});

describe('attacks with the cloud away', () => {
  const refused = async (token: string, why: RegExp): Promise<void> => {
    world.api.go('offline');
    await expect(authenticate(token)).rejects.toMatchObject({
      code: 'Unauthenticated',
      message: expect.stringMatching(why),
    });
  };
  const claims = (): object => world.api.claims(pod);
  const invalid = /is not valid/;

  test('the token of a pod of another node, also one that was accepted before', async () => {
    const seen = world.api.token(elsewhere);
    await authenticate(seen);
    await refused(seen, /pod shop\/other, which is not of this node/);
    await refused(world.api.token(elsewhere, { jti: 'other' }), /not of this node/);
  });

  test('the token of a pod of the same name that is gone', async () => {
    await refused(world.api.token({ ...pod, uid: 'earlier' }), /not of this node/);
  });

  test('an expired token that nobody saw', async () => {
    const token = world.api.token(pod);
    await world.clock.advance(2 * hourMs);
    await refused(token, invalid);
  });

  test('a token that is not valid yet', async () => {
    const later = Math.floor(world.clock.now() / 1_000) + 600;
    await refused(world.api.token(pod, { nbf: later }), invalid);
  });

  test('a token without an end', async () => {
    await refused(world.api.token(pod, { exp: undefined }), invalid);
  });

  test('a changed payload under a good signature', async () => {
    const [header, , signature] = world.api.token(pod).split('.');
    const forged = Buffer.from(
      JSON.stringify({ ...claims(), sub: 'system:serviceaccount:kube-system:root' }),
    );
    await refused(`${header}.${forged.toString('base64url')}.${signature}`, invalid);
  });

  test("a key of his own under the name of the cluster's", async () => {
    await refused(signToken(stranger, { alg: 'RS256', kid: 'first' }, claims()), invalid);
  });

  test('a key of his own that the token brings along', async () => {
    const jwk = stranger.publicKey.export({ format: 'jwk' });
    await refused(signToken(stranger, { alg: 'RS256', kid: 'own', jwk }, claims()), invalid);
    await refused(signToken(stranger, { alg: 'RS256', jwk }, claims()), invalid);
  });

  test("the name of another of the cluster's keys", async () => {
    world.api.published = [world.api.key, second];
    world.api.go('online');
    await world.clock.advance(0);
    await refused(signToken(world.api.key, { alg: 'RS256', kid: 'second' }, claims()), invalid);
  });

  test('no signature', async () => {
    await refused(unsignedToken(claims()), invalid);
  });

  test('a signature made with the public key as a secret', async () => {
    await refused(signWithPublicKey(world.api.key, claims()), invalid);
  });

  test('another audience, also of a token that the hub handed out', async () => {
    const token = world.api.token(pod, { aud: ['vault'] });
    world.handedOut.add(hashOfToken(token));
    await refused(token, invalid);
  });

  test('another issuer', async () => {
    await refused(world.api.token(pod, { iss: 'https://elsewhere.example' }), invalid);
  });

  test('a subject that is not the account of its claims', async () => {
    await refused(world.api.token(pod, { sub: 'system:admin' }), /not of a service account/);
  });

  test('the token of a person, accepted before or not', async () => {
    const token = signToken(
      world.api.key,
      { alg: 'RS256', kid: 'first' },
      { ...claims(), sub: 'x', email: 'jo' },
    );
    expect((await authenticate(token)).user.username).toBe('jo');
    await refused(token, /not of a service account/);
  });

  test('a token changed in any place', async () => {
    const token = world.api.token(pod);
    const changed = fc
      .tuple(fc.nat(token.length - 1), fc.constantFrom('A', 'a', '0', '-', '_', '.', '='))
      .map(([place, character]) => `${token.slice(0, place)}${character}${token.slice(place + 1)}`)
      // The last character of a part may differ in bits that say nothing.
      .filter((text) => bytesOf(text) !== bytesOf(token));
    await fc.assert(fc.asyncProperty(changed, (text) => refused(text, /./)));
  });

  test.each(['', 'x', 'a.b.c', '....', `${'A'.repeat(10_000)}.e30.`])('no token at all: %j', async (text) => {
    await refused(text, /./);
  });
});

describe('the keys', () => {
  test('are asked for again when the API server accepts a token of a key that is not known', async () => {
    world.api.key = second;
    world.api.published = [...world.api.published, second];
    const token = world.api.token(pod);
    await world.clock.advance(60_000);
    await authenticate(token);
    await world.clock.advance(0);
    world.api.go('offline');
    expect((await authenticate(world.api.token(pod, { jti: 'next' }))).kind).toBe('token');
  });

  test('are asked for again until there is an answer', async () => {
    world.api.failure = unavailable;
    world.api.published = [second];
    world.api.go('online');
    await world.clock.advance(0);
    world.api.failure = undefined;
    const before = world.api.calls.length;
    await world.clock.advance(5_000);
    expect(world.api.calls.slice(before)).toContain('/openid/v1/jwks');
  });

  test('an audience of the API server that is not its issuer is learned from what it accepts', async () => {
    world.api.audience = 'https://api.example';
    await authenticate(world.api.token(pod));
    world.api.go('offline');
    expect((await authenticate(world.api.token(pod, { jti: 'next' }))).kind).toBe('token');
  });
});
