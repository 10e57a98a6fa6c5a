import { afterEach, beforeEach, expect, it } from 'vitest';
import { type AccessWorld, createAccessWorld } from '../access/testing.ts';
import type { HubHandler } from '../request.ts';
import { type KeyPair, type TestHub, ask, createTestHub } from './testing.ts';

const hourMs = 3_600_000;

const whoAmI: HubHandler = async ({ caller }) => ({
  status: 200,
  headers: {},
  body: Buffer.from(`${caller.kind} ${caller.user.username}`),
});

let world: AccessWorld;
let hub: TestHub;
beforeEach(async () => {
  world = await createAccessWorld();
  const { access } = world;
  hub = await createTestHub({
    access,
    handler: whoAmI,
    clock: { ...world.clock, now: () => world.clock.now() },
  });
  world.authorities = hub.ca.certificate;
});
afterEach(async () => {
  await hub[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const statusOf = async (client: KeyPair): Promise<number> =>
  (await ask['HTTP/2'](hub, '/version', { client })).status;

it('takes a certificate that is of the future only to a clock that was never set', async () => {
  const client = await hub.ca.issue('system:kube-proxy', { fromMs: hourMs, toMs: 2 * hourMs });
  expect(await statusOf(client)).toBe(401);
  world.clock.setNow(0);
  const answered = await ask['HTTP/2'](hub, '/version', { client });
  expect(answered).toMatchObject({ status: 200, text: 'configured system:kube-proxy' });
});
