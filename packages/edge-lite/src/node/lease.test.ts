import { SelvedgeError, createMetricsRegistry, silentLogger } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import type { Lease } from '@selvedge/kube/types';
import { expect, test } from 'vitest';
import { type LeaseDeps, keepLease } from './lease.ts';

/** An API server that has no Lease yet, and the durations that it was told. */
function api(): { readonly client: LeaseDeps['client']; readonly durations: (number | undefined)[] } {
  let stored: Lease | undefined;
  const durations: (number | undefined)[] = [];
  const keep = async (_resource: unknown, lease: Lease): Promise<Lease> => {
    stored = lease;
    durations.push(lease.spec?.leaseDurationSeconds);
    return lease;
  };
  const get = async (): Promise<Lease> => {
    if (stored === undefined) throw new SelvedgeError('no Lease', { code: 'NotFound' });
    return stored;
  };
  return { durations, client: { get, create: keep, replace: keep } as unknown as LeaseDeps['client'] };
}

test.each([40, 8])('a Lease of %i seconds is renewed four times as often', async (durationSeconds) => {
  const clock = createManualClock();
  const { client, durations } = api();
  const ending = new AbortController();
  const counter = createMetricsRegistry().counter({ name: 'renewals_total', help: '' });
  const deps = { client, clock, random: () => 0.5, log: silentLogger, renewals: counter };
  const kept = keepLease({ nodeName: 'a', nodeUid: 'u', durationSeconds }, deps, ending.signal);
  await clock.advance(durationSeconds * 1_000 + 500);
  expect(durations).toEqual([1, 2, 3, 4, 5].map(() => durationSeconds));
  ending.abort();
  await expect(kept).rejects.toThrow('abort');
});
