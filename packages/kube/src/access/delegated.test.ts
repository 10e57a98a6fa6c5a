import { SelvedgeError, createMetricsRegistry } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import type { KubeObject } from '../object.ts';
import type { SubjectAccessReview, TokenReview } from '../gen/types.ts';
import { type DelegatedAccess, type DelegatedAccessOptions, createDelegatedAccess } from './delegated.ts';
import type { AccessAttributes, UserInfo } from './types.ts';

const signal = new AbortController().signal;
const clock = createManualClock();
const asked: string[] = [];
const tokens = new Map<string, { readonly username: string; readonly audiences: readonly string[] }>();
const allowed = new Set<string>();
let failure: SelvedgeError | undefined;
let gate: Promise<void>;
let access: DelegatedAccess;
let metrics = createMetricsRegistry();

function reviewedToken({ spec }: TokenReview): TokenReview['status'] {
  const known = tokens.get(spec.token ?? '');
  if (known === undefined) return { authenticated: false, error: 'unknown' };
  const user = { username: known.username, groups: ['system:authenticated'] };
  return { authenticated: true, user, audiences: [...known.audiences] };
}

function reviewedAccess({ spec }: SubjectAccessReview): SubjectAccessReview['status'] {
  const { verb = '', subresource = '' } = spec.resourceAttributes ?? {};
  return { allowed: allowed.has(`${spec.user ?? ''} ${verb} ${subresource}`) };
}

const create = async <T extends KubeObject>({ kind }: { readonly kind: string }, object: T): Promise<T> => {
  asked.push(kind);
  await gate;
  if (failure !== undefined) throw failure;
  const review: unknown = object;
  const status =
    kind === 'TokenReview'
      ? reviewedToken(review as TokenReview)
      : reviewedAccess(review as SubjectAccessReview);
  return { ...object, status };
};

function open(options: Partial<DelegatedAccessOptions> = {}): DelegatedAccess {
  metrics = createMetricsRegistry();
  return createDelegatedAccess(
    { subsystem: 'test', ...options },
    { client: { create }, authorities: () => '', clock, metrics },
  );
}

const bearer = (bearerToken: string): { certificate: undefined; bearerToken: string } => ({
  certificate: undefined,
  bearerToken,
});
const jane: UserInfo = { username: 'jane', groups: [] };
const node = (verb: string, subresource: string): AccessAttributes => ({
  kind: 'resource',
  verb,
  group: '',
  version: 'v1',
  resource: 'nodes',
  subresource,
  namespace: '',
  name: 'edge',
  labelSelector: '',
  fieldSelector: '',
});

beforeEach(() => {
  asked.length = 0;
  tokens.clear();
  allowed.clear();
  failure = undefined;
  gate = Promise.resolve();
  access = open();
});

describe('a sender', () => {
  it('is the user of his token, about which is asked once in two minutes', async () => {
    tokens.set('good', { username: 'jane', audiences: ['api'] });
    expect(await access.authenticate(bearer('good'), signal)).toMatchObject({ username: 'jane' });
    tokens.clear();
    await clock.advance(119_999);
    expect(await access.authenticate(bearer('good'), signal)).toMatchObject({ username: 'jane' });
    await clock.advance(1);
    await expect(access.authenticate(bearer('good'), signal)).rejects.toMatchObject({
      code: 'Unauthenticated',
    });
    expect(asked).toHaveLength(2);
  });

  it('is known by his token while nobody is asked about it', async () => {
    tokens.set('good', { username: 'jane', audiences: [] });
    expect(access.isAccepted('good')).toBe(false);
    await access.authenticate(bearer('good'), signal);
    await expect(access.authenticate(bearer('made-up'), signal)).rejects.toThrow('unknown');
    expect([access.isAccepted('good'), access.isAccepted('made-up')]).toEqual([true, false]);
    await clock.advance(120_000);
    expect(access.isAccepted('good')).toBe(false);
  });

  it('is refused once for a token, and asked about again after ten seconds', async () => {
    await expect(access.authenticate(bearer('late'), signal)).rejects.toThrow('unknown');
    tokens.set('late', { username: 'jane', audiences: [] });
    await expect(access.authenticate(bearer('late'), signal)).rejects.toThrow('unknown');
    await clock.advance(10_000);
    expect(await access.authenticate(bearer('late'), signal)).toMatchObject({ username: 'jane' });
  });

  it('shows nothing, and nobody is asked', async () => {
    const nothing = { certificate: undefined, bearerToken: undefined };
    await expect(access.authenticate(nothing, signal)).rejects.toMatchObject({ code: 'Unauthenticated' });
    await expect(access.authenticate(bearer(''), signal)).rejects.toMatchObject({ code: 'Unauthenticated' });
    expect(asked).toEqual([]);
  });

  it('with a certificate that cannot be read is the user of his token, or nobody', async () => {
    tokens.set('good', { username: 'jane', audiences: [] });
    const certificate = Buffer.from('no certificate');
    expect(await access.authenticate({ certificate, bearerToken: 'good' }, signal)).toMatchObject({
      username: 'jane',
    });
    await expect(access.authenticate({ certificate, bearerToken: undefined }, signal)).rejects.toThrow(
      'cannot be read',
    );
  });

  it('with a token for another audience is nobody', async () => {
    access = open({ audiences: ['cloud-manager'] });
    tokens.set('good', { username: 'jane', audiences: ['cloud-manager'] });
    tokens.set('other', { username: 'jane', audiences: ['api'] });
    expect(await access.authenticate(bearer('good'), signal)).toMatchObject({ username: 'jane' });
    await expect(access.authenticate(bearer('other'), signal)).rejects.toThrow('another audience');
  });

  it('does not push out the tokens of others by made-up ones', async () => {
    access = open({ maxTokens: 4 });
    tokens.set('good', { username: 'jane', audiences: [] });
    await access.authenticate(bearer('good'), signal);
    for (let i = 0; i < 20; i += 1) {
      await expect(access.authenticate(bearer(`made-up-${i}`), signal)).rejects.toThrow('unknown');
    }
    asked.length = 0;
    await access.authenticate(bearer('good'), signal);
    expect(asked).toEqual([]);
  });

  it('is not refused for good because the API server could not be asked', async () => {
    tokens.set('good', { username: 'jane', audiences: [] });
    failure = new SelvedgeError('away', { code: 'Unavailable' });
    await expect(access.authenticate(bearer('good'), signal)).rejects.toMatchObject({ code: 'Unavailable' });
    failure = undefined;
    expect(await access.authenticate(bearer('good'), signal)).toMatchObject({ username: 'jane' });
    expect(metrics.render()).toContain('selvedge_test_reviews_total{kind="token",outcome="failed"} 1');
  });
});

describe('a decision', () => {
  it('is good for five minutes if it is a yes', async () => {
    allowed.add('jane get metrics');
    const question = { user: jane, attributes: node('get', 'metrics') };
    expect(await access.authorize(question, signal)).toMatchObject({ allowed: true });
    allowed.clear();
    await clock.advance(299_999);
    expect(await access.authorize(question, signal)).toMatchObject({ allowed: true });
    await clock.advance(1);
    expect(await access.authorize(question, signal)).toMatchObject({ allowed: false });
  });

  it('is good for half a minute if it is a no', async () => {
    const question = { user: jane, attributes: node('get', 'metrics') };
    expect(await access.authorize(question, signal)).toMatchObject({ allowed: false });
    allowed.add('jane get metrics');
    await clock.advance(29_999);
    expect(await access.authorize(question, signal)).toMatchObject({ allowed: false });
    await clock.advance(1);
    expect(await access.authorize(question, signal)).toMatchObject({ allowed: true });
  });

  it('is of one user, one verb and one subresource', async () => {
    allowed.add('jane get metrics');
    const ask = async (user: UserInfo, verb: string, what: string): Promise<boolean> =>
      (await access.authorize({ user, attributes: node(verb, what) }, signal)).allowed;
    expect(await ask(jane, 'get', 'metrics')).toBe(true);
    expect(await ask(jane, 'create', 'metrics')).toBe(false);
    expect(await ask(jane, 'get', 'proxy')).toBe(false);
    expect(await ask({ username: 'joe', groups: [] }, 'get', 'metrics')).toBe(false);
    expect(await ask({ username: 'jane', groups: ['more'] }, 'get', 'metrics')).toBe(true);
    expect(asked).toHaveLength(5);
  });

  it('that many wait for is asked for once', async () => {
    allowed.add('jane get metrics');
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    const question = { user: jane, attributes: node('get', 'metrics') };
    const waiting = Array.from({ length: 50 }, () => access.authorize(question, signal));
    resolve();
    expect(await Promise.all(waiting)).toHaveLength(50);
    expect(asked).toHaveLength(1);
  });

  it('of somebody who asks for much pushes out his own', async () => {
    access = open({ maxDecisions: 100, maxDecisionsPerUser: 10 });
    const question = { user: jane, attributes: node('get', 'metrics') };
    await access.authorize(question, signal);
    const joe = { username: 'joe', groups: [] };
    for (let i = 0; i < 200; i += 1) {
      await access.authorize({ user: joe, attributes: node(`verb-${i}`, 'proxy') }, signal);
    }
    asked.length = 0;
    await access.authorize(question, signal);
    expect(asked).toEqual([]);
  });
});
