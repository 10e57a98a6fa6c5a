import { describe, expect, it } from 'vitest';
import { ask, askOver, authenticateByName, createTestHub, openHttp2 } from './testing.ts';

describe('a flood of unknown tokens', () => {
  it('asks who they are a few times only, and hurts nobody who is known', async () => {
    let asked = 0;
    await using hub = await createTestHub({
      access: {
        authenticate: (presented) => {
          asked += 1;
          return authenticateByName(presented);
        },
        authorize: async () => ({ allowed: false, reason: '' }),
      },
    });
    const asToken = { authorization: 'Bearer token-of-ann' };
    const session = openHttp2(hub);
    expect((await askOver(session, '/version', { headers: asToken })).status).toBe(200);
    const flood = openHttp2(hub);
    const statuses = await Promise.all(
      Array.from({ length: 200 }, async (_, number) => {
        const headers = { authorization: `Bearer x.${number}` };
        return (await askOver(flood, '/version', { headers })).status;
      }),
    );
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
    expect(asked).toBeLessThan(40);
    expect((await askOver(session, '/version', { headers: asToken })).status).toBe(200);
    const client = await hub.ca.issue('system:node:n');
    expect((await ask['HTTP/2'](hub, '/version', { client })).status).toBe(200);
    for (const each of [session, flood]) each.destroy();
  });
});
