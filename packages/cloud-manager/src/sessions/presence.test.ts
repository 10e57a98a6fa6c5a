import { SelvedgeError, silentLogger } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import type { Lease } from '@selvedge/kube/types';
import { expect, it } from 'vitest';
import { type PresenceDeps, createPresence } from './presence.ts';

const options = { namespace: 'ns', server: 'cloud-1', durationSeconds: 40 };
const absent = new SelvedgeError('not found', { code: 'NotFound' });
const away = new SelvedgeError('nobody answers', { code: 'Unavailable' });

/** An API server that holds one Lease, and what it was asked to do. */
function createLeases() {
  const calls: string[] = [];
  let stored: Lease | undefined;
  const state = { isAway: false };
  const answered = <T>(call: string, answer: () => T): Promise<T> => {
    calls.push(call);
    return state.isAway ? Promise.reject(away) : Promise.try(answer);
  };
  const put = (lease: Lease): Lease => (stored = lease);
  const client = {
    get: () =>
      answered('get', () => {
        if (stored === undefined) throw absent;
        return stored;
      }),
    create: (_resource: object, lease: Lease) => answered('create', () => put(lease)),
    replace: (_resource: object, lease: Lease) => answered('replace', () => put(lease)),
    delete: () =>
      answered('delete', () => {
        stored = undefined;
      }),
  } as unknown as PresenceDeps['client'];
  return { client, calls, state, stored: () => stored };
}

const { signal } = new AbortController();

it('deletes at its end what it made, also when it could not renew it last', async () => {
  const clock = createManualClock();
  const leases = createLeases();
  const presence = createPresence(options, { ...leases, clock, random: () => 0.5, log: silentLogger });
  await presence.start(signal);
  expect(leases.stored()).toMatchObject({ metadata: { name: 'tunnel-server.cloud-1' } });
  leases.state.isAway = true;
  await clock.advance(15_000);
  expect(leases.calls).toContain('replace');
  leases.state.isAway = false;
  await presence.stop();
  expect(leases.stored()).toBeUndefined();
});

it('deletes nothing that it never made', async () => {
  const leases = createLeases();
  leases.state.isAway = true;
  const clock = createManualClock();
  const presence = createPresence(options, { ...leases, clock, random: () => 0.5, log: silentLogger });
  await presence.start(signal);
  leases.state.isAway = false;
  await presence.stop();
  expect(leases.calls).toEqual(['get']);
});
