import { SelvedgeError, createMetricsRegistry } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import { expect, test } from 'vitest';
import { type Asked, createAuthenticate } from '../serving/index.ts';
import { createHealth } from './health.ts';

const { signal } = new AbortController();

test('an address that shows made-up tokens is not asked about any more for a time; others and known tokens are', async () => {
  const clock = createManualClock();
  const reviewed: string[] = [];
  const authenticate = createAuthenticate({
    clock,
    access: {
      isAccepted: (token) => token === 'known',
      async authenticate({ bearerToken = '' }) {
        reviewed.push(bearerToken);
        if (bearerToken === 'known') return { username: 'prometheus', groups: [] };
        throw new SelvedgeError('no', { code: 'Unauthenticated' });
      },
    },
  });
  const authorize = async (): Promise<{ allowed: boolean; reason: string }> => ({
    allowed: true,
    reason: '',
  });
  const metrics = createMetricsRegistry();
  const handler = createHealth({ access: { authorize }, authenticate, metrics, ready: {} });
  const ask = async (token: string, remoteAddress: string): Promise<number> => {
    const request = { method: 'GET', url: '/metrics', headers: { authorization: `Bearer ${token}` } };
    const link = { remoteAddress, certificate: undefined };
    return (await handler({ request, link, signal } as unknown as Asked)).status;
  };
  for (let i = 0; i < 20; i += 1) expect(await ask(`made-up-${i}`, '10.0.0.1')).toBe(401);
  expect(await ask('made-up-20', '10.0.0.1')).toBe(429);
  expect(reviewed).toHaveLength(20);
  expect(await ask('known', '10.0.0.1')).toBe(200);
  expect(await ask('made-up-21', '10.0.0.2')).toBe(401);
  await clock.advance(1_000);
  expect(await ask('made-up-22', '10.0.0.1')).toBe(401);
});
