import { type ManualClock, createManualClock } from '@selvedge/kit/testing';
import { createIndexedStore, microTime } from '@selvedge/kube';
import type { Lease, Node } from '@selvedge/kube/types';
import type { EdgeUnitObject } from '@selvedge/unit-controller';
import { describe, expect, test } from 'vitest';
import type { EdgeNodeObject } from '../edge-nodes/index.ts';
import { membersOf } from './caches.ts';
import { Judge } from './judge.ts';
import { Sightings } from './lease/index.ts';
import { timesOf } from './options.ts';
import { Testimonies } from './testimony/index.ts';

const members = ['a', 'b'];
const witnessMs = 30_000;

/** A leader that comes to a unit whose node `a` had been vouched for by `b`. */
function leader(clock: ManualClock, creationTimestamp?: string): Judge {
  const [leases, nodes] = [createIndexedStore<Lease>(), createIndexedStore<Node>()];
  const edgeNodes = createIndexedStore<EdgeNodeObject>();
  const edgeUnits = createIndexedStore<EdgeUnitObject>({ indexers: { member: membersOf } });
  const since = '2025-12-01T00:00:00Z';
  const metadataOf = (name: string): Node['metadata'] => ({ name, uid: name, resourceVersion: '1' });
  const renewTime = microTime(clock.now());
  leases.replace(
    members.map((name) => ({
      metadata: { ...metadataOf(name), namespace: 'kube-node-lease' },
      spec: { renewTime },
    })),
    '1',
  );
  nodes.replace(
    members.map((name) => ({ metadata: { ...metadataOf(name), creationTimestamp } })),
    '1',
  );
  const vouched = {
    state: 'Vouched',
    since,
    reason: 'SeenAlive',
    witnesses: [{ node: 'b', at: since, alive: true }],
  } as const;
  edgeNodes.replace(
    [
      { metadata: metadataOf('a'), status: vouched },
      { metadata: metadataOf('b'), status: { state: 'Connected', since } },
    ],
    '1',
  );
  const status = { members: members.map((name) => ({ name })) };
  edgeUnits.replace([{ metadata: metadataOf('shop'), status }], '1');
  const sightings = new Sightings(clock);
  sightings.follow(true);
  return new Judge(
    { policy: { kind: 'forever' }, witnessMs, ...timesOf({ gracePeriodMs: 40_000 }) },
    {
      edgeNodes,
      edgeUnits,
      nodes,
      leases,
      sightings,
      testimonies: new Testimonies({ validMs: witnessMs }, clock),
      clock,
      onMove: () => undefined,
    },
  );
}

describe('a leader that comes to a node that is Vouched', () => {
  test('believes the witnesses of the leader before, until they had time to say it again', async () => {
    const clock = createManualClock();
    const judge = leader(clock);
    // Before anybody has looked at its witness.
    expect(judge.look('a')?.next).toMatchObject({ kind: 'Vouched', by: ['b'] });
    await clock.advance(20_000);
    expect(judge.look('a')?.next).toMatchObject({ kind: 'Vouched', by: ['b'] });
    await clock.advance(witnessMs);
    expect(judge.look('a')?.next).toMatchObject({ kind: 'Autonomous' });
  });

  test('does not when the Node was made since: that was another one', () => {
    const judge = leader(createManualClock(), '2025-12-01T00:00:01Z');
    expect(judge.look('a')?.fate).toMatchObject({ kind: 'Connected' });
    const same = leader(createManualClock(), '2025-12-01T00:00:00Z');
    expect(same.look('a')?.fate).toMatchObject({ kind: 'Vouched' });
  });
});
