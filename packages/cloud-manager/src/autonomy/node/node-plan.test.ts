import type { NodeCondition, Pod, Taint } from '@selvedge/kube/types';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { Fate } from '../fate/index.ts';
import { isGivenUp } from '../pods/pod-ready.ts';
import { plannedConditions, plannedTaints } from './node-plan.ts';

const since = Date.UTC(2026, 0, 1);
const fates: Readonly<Record<Fate['kind'], Fate>> = {
  Connected: { kind: 'Connected', since, reason: 'LeaseRenewed' },
  Vouched: { kind: 'Vouched', since, reason: 'SeenAlive', by: ['b'] },
  Autonomous: { kind: 'Autonomous', since, reason: 'UnitCut' },
  Expired: { kind: 'Expired', since, reason: 'PeriodOver' },
  Dead: { kind: 'Dead', since, reason: 'SeenDead', by: ['b'] },
};
const autonomousTaint: Taint = { key: 'selvedge.io/autonomous', effect: 'NoSchedule' };
const foreign: Taint = { key: 'gpu', value: 'a', effect: 'NoSchedule' };
const outOfService: Taint = {
  key: 'node.kubernetes.io/out-of-service',
  value: 'selvedge',
  effect: 'NoExecute',
};
const byHand: Taint = { ...outOfService, value: 'nodeshutdown' };
const may = { failOver: true };

describe('taints', () => {
  test.each<[Fate['kind'], readonly Taint[]]>([
    ['Connected', [foreign]],
    ['Vouched', [foreign, autonomousTaint]],
    ['Autonomous', [foreign, autonomousTaint]],
    ['Expired', [foreign]],
    ['Dead', [foreign, outOfService]],
  ])('of a node that is %s', (kind, expected) => {
    for (const before of [[foreign], [foreign, autonomousTaint], [foreign, outOfService]]) {
      expect(plannedTaints(before, fates[kind], may)).toEqual(expected);
    }
  });

  test('are not given to a dead node that may not fail over, nor taken from one that has', () => {
    expect(plannedTaints([foreign], fates.Dead, { failOver: false })).toEqual([foreign]);
    expect(plannedTaints([outOfService], fates.Dead, { failOver: false })).toEqual([outOfService]);
  });

  test('that a person has set stay', () => {
    expect(plannedTaints([byHand], fates.Connected, may)).toEqual([byHand]);
    expect(plannedTaints([byHand], fates.Dead, may)).toEqual([byHand]);
  });

  property.prop([
    fc.subarray([foreign, autonomousTaint, byHand, { ...foreign, key: 'b' }]),
    fc.constantFrom(...Object.values(fates)),
    fc.boolean(),
  ])('are at their target after one round', (taints, fate, failOver) => {
    const reached = plannedTaints(taints, fate, { failOver });
    expect(plannedTaints(reached, fate, { failOver })).toBe(reached);
  });
});

describe('conditions', () => {
  const ready = (status: string): NodeCondition => ({ type: 'Ready', status, reason: 'NodeStatusUnknown' });
  const facts = { wasReady: true, now: since + 60_000 };

  test('mirror the fate, from the first that is worth telling', () => {
    expect(plannedConditions([ready('True')], fates.Connected, facts)).toEqual([]);
    const [mirror] = plannedConditions([ready('True')], fates.Autonomous, facts);
    expect(mirror).toEqual({
      type: 'SelvedgeAutonomous',
      status: 'True',
      reason: 'Autonomous',
      message: 'No member of its unit has a link.',
      lastHeartbeatTime: '2026-01-01T00:00:00Z',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    });
    expect(plannedConditions(mirror === undefined ? [] : [mirror], fates.Autonomous, facts)).toEqual([]);
    expect(plannedConditions(mirror === undefined ? [] : [mirror], fates.Connected, facts)).toMatchObject([
      { status: 'False', reason: 'Connected' },
    ]);
  });

  test.each<[string, Fate['kind'], string, boolean, number]>([
    ['is put back where the node was given up', 'Autonomous', 'Unknown', true, 1],
    ['is put back where peers vouch', 'Vouched', 'Unknown', true, 1],
    ['is left alone where the kubelet had said that it is not', 'Autonomous', 'Unknown', false, 0],
    ['is left alone where the kubelet says so', 'Autonomous', 'False', true, 0],
    ['is left alone when the period is over', 'Expired', 'Unknown', true, 0],
    ['is left alone on the dead', 'Dead', 'Unknown', true, 0],
  ])('Ready %s', (_what, kind, status, wasReady, count) => {
    const planned = plannedConditions([ready(status)], fates[kind], { ...facts, wasReady });
    expect(planned.filter(({ type }) => type === 'Ready')).toHaveLength(count);
  });
});

describe('a pod that is not Ready', () => {
  const pod = (status: Record<string, string>, extra: Partial<Pod['spec']> = {}): Pod => ({
    metadata: { name: 'p' },
    spec: { containers: [], ...extra },
    status: {
      phase: 'Running',
      conditions: Object.entries(status).map(([type, value]) => ({ type, status: value })),
    },
  });
  test.each<[string, Pod, boolean]>([
    ['was given up', pod({ Ready: 'False', ContainersReady: 'True' }), true],
    ['has a container that is not', pod({ Ready: 'False', ContainersReady: 'False' }), false],
    ['is Ready in truth', pod({ Ready: 'True', ContainersReady: 'True' }), false],
    [
      'waits for its gate',
      pod(
        { Ready: 'False', ContainersReady: 'True', g: 'False' },
        { readinessGates: [{ conditionType: 'g' }] },
      ),
      false,
    ],
  ])('%s', (_what, object, expected) => {
    expect(isGivenUp(object)).toBe(expected);
  });
});
