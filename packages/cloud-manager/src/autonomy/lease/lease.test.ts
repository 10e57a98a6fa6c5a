import { createManualClock } from '@selvedge/kit/testing';
import { createIndexedStore, microTime } from '@selvedge/kube';
import type { Lease } from '@selvedge/kube/types';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { followingRenewTime, heldAnnotation, holdingPatch, isHeldLease } from './held-lease.ts';
import { Sightings } from './sightings.ts';

const lease = (renewTime: string, held?: string, resourceVersion = renewTime): Lease => ({
  metadata: {
    name: 'shop-1',
    namespace: 'kube-node-lease',
    uid: 'u',
    resourceVersion,
    ...(held === undefined ? {} : { annotations: { [heldAnnotation]: held } }),
  },
  spec: { renewTime },
});

const renewedAt = '2026-01-01T00:00:00.123456Z';

describe('a Lease that is held', () => {
  test('is recognised until its node renews it, though the node keeps the annotation', () => {
    const body = holdingPatch(lease(renewedAt), 10_000).body as Lease;
    const held = lease(body.spec?.renewTime ?? '', body.metadata.annotations?.[heldAnnotation]);
    expect(isHeldLease(lease(renewedAt))).toBe(false);
    expect(isHeldLease(held)).toBe(true);
    expect(isHeldLease(lease('2026-01-01T00:00:20.000000Z', held.spec?.renewTime))).toBe(false);
    expect(body.metadata).toMatchObject({ uid: 'u', resourceVersion: renewedAt });
  });

  property.prop([
    fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }),
    fc.nat(999),
    fc.nat(86_400_000),
  ])(
    'is renewed later than before, and before a node whose clock is up to one percent slow renews it',
    (date, microseconds, elapsedMs) => {
      const last = microTime(date.getTime()).replace('000Z', `${String(microseconds).padStart(3, '0')}Z`);
      const next = followingRenewTime(last, elapsedMs);
      expect(next > last).toBe(true);
      expect(Date.parse(next)).toBeLessThanOrEqual(date.getTime() + 1 + elapsedMs * 0.99);
    },
  );

  test('is renewed from any time that it names, and from none', () => {
    expect(followingRenewTime('', 0)).toBe('1970-01-01T00:00:00.001000Z');
  });
});

describe('sightings', () => {
  const world = () => {
    const clock = createManualClock();
    const sightings = new Sightings(clock);
    const store = createIndexedStore<Lease>();
    const own: boolean[] = [];
    store.subscribe((change) => own.push(sightings.see(change)));
    sightings.follow(true);
    const write = (object: Lease): void =>
      store.apply([{ type: 'MODIFIED', object }], object.metadata.resourceVersion ?? '');
    return { clock, sightings, write, own };
  };

  test('tell how long the node itself is silent, whatever its clock says', async () => {
    const { clock, sightings, write, own } = world();
    write(lease('2031-01-01T00:00:00.000000Z'));
    expect(sightings.silentMs('shop-1')).toBe(Number.POSITIVE_INFINITY);
    write(lease('2031-01-01T00:00:10.000000Z'));
    await clock.advance(7_000);
    expect(sightings.silentMs('shop-1')).toBe(7_000);
    write(lease('2019-01-01T00:00:00.000000Z'));
    expect(sightings.silentMs('shop-1')).toBe(0);
    expect(own).toEqual([false, true, true]);
  });

  test('do not take our renewals, nor writes of anything else, for the node', async () => {
    const { clock, sightings, write, own } = world();
    write(lease(renewedAt));
    sightings.assume('shop-1');
    await clock.advance(5_000);
    const ours = '2026-01-01T00:00:05.000000Z';
    write(lease(ours, ours));
    write(lease(ours, undefined, 'another version'));
    await clock.advance(1_000);
    expect([sightings.silentMs('shop-1'), sightings.elapsedMs('shop-1')]).toEqual([6_000, 1_000]);
    expect(own).toEqual([false, false, false]);
  });

  test('do not age while nothing is followed, and do not make young whom they gave up', async () => {
    const { clock, sightings, write } = world();
    write(lease(renewedAt));
    sightings.assume('shop-1');
    await clock.advance(5_000);
    sightings.follow(false);
    await clock.advance(60_000);
    expect([sightings.isFollowing, sightings.silentMs('shop-1')]).toEqual([false, 0]);
    sightings.follow(true);
    await clock.advance(3_000);
    expect(sightings.silentMs('shop-1')).toBe(3_000);
    sightings.giveUp('shop-1');
    sightings.follow(false);
    sightings.follow(true);
    expect(sightings.silentMs('shop-1')).toBe(Number.POSITIVE_INFINITY);
  });
});
