import { type KubeObject, strategicMerged } from '@selvedge/kube';
import type { NodeCondition, NodeStatus, PodCondition, PodStatus } from '@selvedge/kube/types';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { rebase, replayPatch } from './index.ts';
import { canonical, isSame } from './three-way.ts';

const object = (status: object | undefined, uid = 'u'): KubeObject => {
  const whole = { apiVersion: 'v1', metadata: { name: 'a', uid }, spec: {}, status };
  return whole;
};
const statusOf = (of: KubeObject): unknown => (of as { readonly status?: unknown }).status;

type Kind = 'v1/pods' | 'v1/nodes';
const types = { 'v1/pods': 'core.v1.Pod', 'v1/nodes': 'core.v1.Node' };

interface Statuses<T> {
  readonly anchor: T;
  readonly current: T;
  readonly upstream: T;
}

const three = (statuses: Statuses<object>) => ({
  anchor: object(statuses.anchor),
  current: object(statuses.current),
  upstream: object(statuses.upstream),
});

/** The patch's status, and upstream's status after it. */
function replayed(kind: Kind, statuses: Statuses<object>): readonly [patch: unknown, after: unknown] {
  const all = three(statuses);
  const patch = replayPatch(kind, all) as { metadata: object; status: object } | undefined;
  if (patch === undefined) return [undefined, statuses.upstream];
  expect(patch.metadata).toEqual({ uid: 'u' });
  const after = strategicMerged(types[kind], { ...all.upstream }, { ...patch });
  return [patch.status, canonical(after['status']) ?? {}];
}

const pod = (statuses: Statuses<PodStatus>) => replayed('v1/pods', statuses);
const node = (statuses: Statuses<NodeStatus>) => replayed('v1/nodes', statuses);

const ready = (status: string, rest: Partial<PodCondition> = {}): PodCondition => ({
  type: 'Ready',
  status,
  lastTransitionTime: '2026-01-01T00:00:00Z',
  ...rest,
});

describe('a pod', () => {
  const running = { name: 'a', image: 'i', imageID: 'x', ready: true, restartCount: 0 };

  test('gets what changed here, its lists as a whole', () => {
    const anchor: PodStatus = { phase: 'Pending', qosClass: 'BestEffort', podIPs: [{ ip: '10.0.0.1' }] };
    const current: PodStatus = {
      ...anchor,
      phase: 'Running',
      podIPs: [{ ip: '10.0.0.2' }],
      containerStatuses: [running],
      conditions: [ready('True')],
    };
    expect(pod({ anchor, current, upstream: anchor })).toEqual([
      {
        phase: 'Running',
        podIPs: [{ ip: '10.0.0.2' }, { $patch: 'replace' }],
        containerStatuses: [running],
        conditions: [ready('True')],
      },
      current,
    ]);
  });

  test('loses what is gone here, in maps too', () => {
    const anchor: PodStatus = {
      reason: 'x',
      resources: { limits: { cpu: '1', memory: '2' } },
      conditions: [ready('True', { reason: 'x' }), { type: 'PodResizePending', status: 'True' }],
    };
    const current: PodStatus = { resources: { limits: { cpu: '1' } }, conditions: [ready('True')] };
    expect(pod({ anchor, current, upstream: anchor })).toEqual([
      {
        reason: null,
        resources: { limits: { memory: null } },
        conditions: [
          ready('True', { reason: null as never }),
          { type: 'PodResizePending', $patch: 'delete' },
        ],
      },
      current,
    ]);
  });

  test('tells when its readiness turned, also if it is what it was', () => {
    const later = ready('True', { lastTransitionTime: '2026-01-01T00:05:00Z' });
    const statuses = (conditions: readonly PodCondition[]): Statuses<PodStatus> => {
      const anchor: PodStatus = { phase: 'Running', conditions: [ready('True')] };
      return { anchor, current: { ...anchor, conditions }, upstream: anchor };
    };
    expect(pod(statuses([later]))).toEqual([{ conditions: [later] }, statuses([later]).current]);
    const earlier = ready('True', { lastTransitionTime: '2025-12-31T00:00:00Z' });
    expect(pod(statuses([earlier]))[0]).toBeUndefined();
  });

  test('keeps what others wrote, and what upstream knows and nobody changed here', () => {
    const gate = { type: 'example.com/gate', status: 'True' };
    const disruption = { type: 'DisruptionTarget', status: 'True' };
    const anchor: PodStatus = { phase: 'Running', conditions: [ready('True')] };
    const current: PodStatus = {
      ...anchor,
      message: 'm',
      nominatedNodeName: 'ours',
      conditions: [ready('True'), { ...gate, status: 'False' }],
    };
    const upstream: PodStatus = {
      ...anchor,
      nominatedNodeName: 'theirs',
      conditions: [ready('False'), disruption, gate],
    };
    expect(pod({ anchor, current, upstream })).toEqual([{ message: 'm' }, { ...upstream, message: 'm' }]);
  });

  test('has addresses that agree', () => {
    const addresses = (...ips: readonly string[]): PodStatus => ({
      podIP: ips[0],
      podIPs: ips.map((ip) => ({ ip })),
    });
    const statuses = {
      anchor: addresses('10.0.0.1', 'fd00::1'),
      current: addresses('10.0.0.1'),
      upstream: addresses('10.0.0.2'),
    };
    expect(pod(statuses)[1]).toEqual(statuses.current);
  });

  test('keeps its start', () => {
    const [anchor, upstream] = [{}, { startTime: '2026-01-01T00:00:00Z' }];
    expect(pod({ anchor, current: { startTime: '2026-01-02T00:00:00Z' }, upstream })[0]).toBeUndefined();
    expect(pod({ anchor, current: upstream, upstream: {} })[0]).toEqual(upstream);
  });

  test.each([
    ['Failed', 'Running', undefined],
    ['Succeeded', 'Failed', undefined],
    ['Failed', 'Failed', { message: 'm' }],
    ['Running', 'Succeeded', { phase: 'Succeeded', message: 'm' }],
  ])('that is %s upstream and %s here is patched with %j', (there, here, patch) => {
    const statuses = {
      anchor: { phase: 'Running' },
      current: { phase: here, message: 'm' },
      upstream: { phase: there },
    };
    expect(pod(statuses)[0]).toEqual(patch);
  });
});

describe('a Node', () => {
  const said = (status: string, heartbeat: string, transition = '10:00'): NodeCondition => ({
    type: 'Ready',
    status,
    lastHeartbeatTime: `2026-01-01T${heartbeat}:00Z`,
    lastTransitionTime: `2026-01-01T${transition}:00Z`,
  });
  const anchor: NodeStatus = { conditions: [said('True', '10:05')] };

  test('that says the same again is left alone', () => {
    const statuses = { anchor, current: { conditions: [said('True', '11:05')] }, upstream: anchor };
    expect(node(statuses)[0]).toBeUndefined();
    const shown = rebase('v1/nodes', { ...three(statuses), base: object(anchor) });
    expect(statusOf(shown)).toEqual(statuses.current);
  });

  test.each([
    ['later', '11:05', true],
    ['earlier', '09:05', false],
  ])('whose cloud is to hear of it is told what was said again, where it is %s', (_what, at, told) => {
    const current = { conditions: [said('True', at)] };
    const patch = replayPatch('v1/nodes', three({ anchor, current, upstream: anchor }), { heartbeat: true });
    expect(patch).toEqual(told ? { metadata: { uid: 'u' }, status: current } : undefined);
  });

  test.each([
    ['True', '11:05', 'is'],
    ['True', '10:35', 'is not'],
    ['False', '11:05', 'is'],
    ['False', '10:35', 'is not'],
  ])(
    'whose kubelet said Ready=%s at %s %s believed, when upstream has no news since 10:40',
    (status, at, verb) => {
      const upstream = { conditions: [said('Unknown', '10:05', '10:40')] };
      const current = { conditions: [said(status, at)] };
      const [, after] = node({ anchor, current, upstream });
      expect(after).toEqual(verb === 'is' ? current : upstream);
    },
  );

  test('keeps the resources, attached volumes and conditions of others', () => {
    const start: NodeStatus = {
      capacity: { cpu: '4', pods: '110' },
      addresses: [{ type: 'Hostname', address: 'a' }],
    };
    const current: NodeStatus = {
      capacity: { cpu: '8', pods: '110' },
      addresses: [{ type: 'Hostname', address: 'b' }],
      volumesAttached: [],
      volumesInUse: ['v'],
    };
    const upstream: NodeStatus = {
      ...start,
      capacity: { cpu: '4', pods: '110', 'example.com/dongle': '1' },
      volumesAttached: [{ name: 'v', devicePath: 'd' }],
      conditions: [{ type: 'NetworkUnavailable', status: 'False' }],
    };
    expect(node({ anchor: start, current, upstream })).toEqual([
      {
        capacity: { cpu: '8' },
        addresses: [{ type: 'Hostname', address: 'b' }, { $patch: 'replace' }],
        volumesInUse: ['v'],
      },
      {
        ...upstream,
        capacity: { cpu: '8', pods: '110', 'example.com/dongle': '1' },
        addresses: current.addresses,
        volumesInUse: ['v'],
      },
    ]);
  });
});

describe('a base', () => {
  const [anchor, current] = [object({ phase: 'Pending' }), object({ phase: 'Running' })];

  test.each([
    ['of another object of the name', 'v1/pods', object({}, 'other')],
    ['of a resource that the kubelet writes no status of', 'v1/services', object({})],
    ['that says the same already', 'v1/pods', object({ phase: 'Running' })],
  ])('%s stays', (_, resource, base) => {
    expect(rebase(resource, { anchor, current, base })).toBe(base);
  });
});

const times = fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', '2026-01-03T00:00:00Z');
const conditions = fc.uniqueArray(
  fc.record(
    {
      type: fc.constantFrom('Ready', 'DiskPressure', 'Initialized', 'other'),
      status: fc.constantFrom('True', 'False', 'Unknown'),
      reason: fc.constantFrom('', 'a', 'b'),
      lastHeartbeatTime: times,
      lastTransitionTime: times,
    },
    { requiredKeys: ['type', 'status'] },
  ),
  { selector: ({ type }) => type },
);
const texts = fc.constantFrom('', 'a', 'b');
const quantities = fc.dictionary(
  fc.constantFrom('cpu', 'memory', 'example.com/x'),
  fc.constantFrom('1', '2'),
);
const podStatuses = fc.record(
  {
    conditions,
    phase: fc.constantFrom('Pending', 'Running', 'Succeeded', 'Failed'),
    message: texts,
    podIPs: fc.uniqueArray(fc.record({ ip: texts }), { selector: ({ ip }) => ip }),
    allocatedResources: quantities,
    resources: fc.record({ limits: quantities, requests: quantities }, { requiredKeys: [] }),
    containerStatuses: fc.array(fc.record({ name: texts, restartCount: fc.nat(2) })),
    startTime: times,
    nominatedNodeName: texts,
  },
  { requiredKeys: [] },
);
/** The API server puts those of one type side by side. */
const addresses = fc.array(fc.record({ type: fc.constantFrom('InternalIP', 'Hostname'), address: texts }));
const nodeStatuses = fc.record(
  {
    conditions,
    capacity: quantities,
    addresses: addresses.map((list) => list.toSorted((a, b) => (a.type < b.type ? -1 : 1))),
    images: fc.array(fc.record({ names: fc.array(texts), sizeBytes: fc.nat(2) })),
    nodeInfo: fc.record({ bootID: texts, machineID: texts }, { requiredKeys: [] }),
    volumesAttached: fc.array(fc.record({ name: texts, devicePath: texts })),
    volumesInUse: fc.array(texts),
  },
  { requiredKeys: [] },
);
const cases = fc.oneof(
  fc.tuple(fc.constant<Kind>('v1/pods'), podStatuses, podStatuses, podStatuses),
  fc.tuple(fc.constant<Kind>('v1/nodes'), nodeStatuses, nodeStatuses, nodeStatuses),
);

/** Of conditions, what is the kubelet's and not only a time. */
const comparable = (status: unknown, own: boolean): unknown => {
  const {
    conditions: list = [],
    volumesAttached,
    nominatedNodeName,
    startTime: _,
    ...rest
  } = status as {
    readonly conditions?: readonly PodCondition[];
    readonly volumesAttached?: unknown;
    readonly nominatedNodeName?: unknown;
    readonly startTime?: unknown;
  };
  const mine = list.filter(({ type }) => ['Ready', 'DiskPressure', 'Initialized'].includes(type) === own);
  const kept = mine.map(({ type, status: value, reason = '' }) => `${type}=${value}:${reason}`);
  return own
    ? { kept: kept.toSorted(), ...rest }
    : { kept: kept.toSorted(), volumesAttached, nominatedNodeName };
};

property.prop([cases])(
  'a replay is done once, and leads to what was shown',
  ([kind, anchor, current, upstream]) => {
    const [, after] = replayed(kind, { anchor, current, upstream });
    const shown = rebase(kind, { anchor: object(anchor), current: object(current), base: object(upstream) });
    const [again] = replayed(kind, { anchor, current, upstream: after as object });
    expect(again).toBeUndefined();
    for (const own of [true, false])
      expect(isSame(comparable(after, own), comparable(statusOf(shown), own))).toBe(true);
  },
);
