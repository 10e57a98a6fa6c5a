import { SelvedgeError, type ErrorCode, createMetricsRegistry, silentLogger } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import { describe, expect, it } from 'vitest';

import type { ServiceAccountToken, TokenQuery } from '../ports.ts';
import { createVolumeMetrics } from './metrics.ts';
import { createTokens } from './tokens.ts';

const hourMs = 3_600_000;
const query: TokenQuery = {
  pod: { namespace: 'shop', name: 'web', uid: 'uid-web' },
  serviceAccount: 'default',
  audiences: [],
  expirationSeconds: 3600,
};

function world(stored?: ServiceAccountToken) {
  const clock = createManualClock();
  let kept = stored;
  let answer: ServiceAccountToken | ErrorCode = 'Unavailable';
  let asked = 0;
  const metrics = createMetricsRegistry();
  const tokens = createTokens({
    metrics: createVolumeMetrics(metrics),
    clock,
    random: () => 0,
    log: silentLogger,
    store: { get: () => kept, put: (_, token) => (kept = token), forget: () => undefined },
    source: {
      request: async () => {
        asked += 1;
        if (typeof answer === 'string') throw new SelvedgeError('the cloud is away', { code: answer });
        return answer;
      },
    },
  });
  return {
    clock,
    answers: (next: typeof answer) => (answer = next),
    asked: () => asked,
    counted: () => metrics.render(),
    current: (more: Partial<TokenQuery> = {}) =>
      tokens.current({ ...query, ...more }, new AbortController().signal),
  };
}

describe('a token', () => {
  it('is asked for once and renewed at 80 % of its life', async () => {
    const { clock, answers, asked, current } = world();
    answers({ token: 'one', expiresAtMs: clock.now() + hourMs, lifetimeSeconds: 3600 });
    expect(await current()).toEqual({ token: 'one', dueMs: clock.now() + 0.8 * hourMs });
    await clock.advance(0.8 * hourMs - 1);
    expect((await current()).token).toBe('one');
    expect(asked()).toBe(1);
    await clock.advance(1);
    answers({ token: 'two', expiresAtMs: clock.now() + hourMs, lifetimeSeconds: 3600 });
    expect((await current()).token).toBe('two');
  });

  it('of a long life is renewed after a day', async () => {
    const { clock, answers, current } = world();
    answers({ token: 'one', expiresAtMs: clock.now() + 240 * hourMs, lifetimeSeconds: 240 * 3600 });
    expect((await current({ expirationSeconds: 240 * 3600 })).dueMs).toBe(clock.now() + 24 * hourMs);
  });

  it('that the API server made shorter than asked is renewed by the life that it has', async () => {
    const { clock, answers, asked, current } = world();
    const expirationSeconds = 24 * 3600;
    answers({ token: 'one', expiresAtMs: clock.now() + hourMs, lifetimeSeconds: 3600 });
    expect((await current({ expirationSeconds })).dueMs).toBe(clock.now() + 0.8 * hourMs);
    await clock.advance(0.8 * hourMs - 1);
    await current({ expirationSeconds });
    expect(asked()).toBe(1);
  });

  it('is taken from the store after a restart', async () => {
    const { current, asked } = world({
      token: 'old',
      expiresAtMs: createManualClock().now() + hourMs,
      lifetimeSeconds: 3600,
    });
    expect((await current()).token).toBe('old');
    expect(asked()).toBe(0);
  });

  it('stays in use while the cloud is away, past its end too', async () => {
    const { clock, current } = world({
      token: 'old',
      expiresAtMs: createManualClock().now() - hourMs,
      lifetimeSeconds: 3600,
    });
    expect(await current()).toEqual({ token: 'old', dueMs: clock.now() + 60_000 });
  });

  it('stays in use until its end when the API server refuses a new one, then no longer', async () => {
    const { clock, answers, current } = world({
      token: 'old',
      expiresAtMs: createManualClock().now() + 60_000,
      lifetimeSeconds: 3600,
    });
    answers('Forbidden');
    expect((await current()).token).toBe('old');
    await clock.advance(60_001);
    await expect(current()).rejects.toThrow('token of default expired and refresh failed: the cloud is away');
  });

  it.each([
    ['the cloud is away', 'Unavailable', 'Unavailable'],
    ['the API server does not know the pod yet', 'NotFound', 'Unavailable'],
    ['the API server does not know yet where the pod is', 'Forbidden', 'Unavailable'],
    ['the API server takes no such request', 'Invalid', 'Invalid'],
  ] as const)('that cannot be had says so: %s', async (_why, refusal, code) => {
    const { answers, current } = world();
    answers(refusal);
    await expect(current()).rejects.toMatchObject({
      code,
      message: 'failed to fetch token: the cloud is away',
    });
  });
});
