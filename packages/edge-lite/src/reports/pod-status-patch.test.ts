import type { Pod, PodCondition, PodStatus } from '@selvedge/kube/types';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { type PodStatusPatch, podStatusPatch } from './pod-status-patch.ts';

const podOf = (status: PodStatus): Pod => ({
  metadata: { name: 'web', uid: 'u' },
  spec: { containers: [] },
  status,
});

/** What the API server makes of such a patch. */
function merged(pod: Pod, { status }: Pick<PodStatusPatch, 'status'>): Pod {
  const next: Record<string, unknown> = { ...pod.status };
  for (const [field, value] of Object.entries(status)) {
    if (field === 'conditions')
      next[field] = mergedConditions(pod.status?.conditions ?? [], value as Patch[]);
    else if (Array.isArray(value)) next[field] = value.filter((item) => item.$patch === undefined);
    else if (value === null) delete next[field];
    else next[field] = value;
  }
  return { ...pod, status: next };
}

type Patch = PodCondition & { readonly $patch?: string };

function mergedConditions(
  before: readonly PodCondition[],
  patches: readonly Patch[],
): readonly PodCondition[] {
  const kept = before.filter(({ type }) => !patches.some((patch) => patch.type === type));
  return [...kept, ...patches.filter(({ $patch }) => $patch === undefined)];
}

const ready: PodCondition = { type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' };

describe('a patch', () => {
  test('carries the uid and only what differs', () => {
    const shown = podOf({ phase: 'Pending', qosClass: 'BestEffort', conditions: [ready] });
    const desired = { phase: 'Running', qosClass: 'BestEffort', conditions: [ready], podIP: '10.1.0.2' };
    expect(podStatusPatch(shown, desired)).toEqual({
      metadata: { uid: 'u' },
      status: { phase: 'Running', podIP: '10.1.0.2' },
    });
  });

  test('is none where the difference is only what the API leaves out, or only a time', () => {
    const shown = podOf({ phase: 'Running', conditions: [ready], containerStatuses: [] });
    const later = { ...ready, lastTransitionTime: '2026-01-02T00:00:00Z', message: '' };
    expect(podStatusPatch(shown, { phase: 'Running', conditions: [later], message: '' })).toBeUndefined();
  });

  test('keeps the transition time of a condition whose status is the same', () => {
    const shown = podOf({ conditions: [{ ...ready, status: 'False', reason: 'A' }] });
    const at = '2026-02-02T00:00:00Z';
    const same = { ...ready, status: 'False', reason: 'B', lastTransitionTime: at };
    expect(podStatusPatch(shown, { conditions: [same] })?.status['conditions']).toEqual([
      { ...same, message: null, lastTransitionTime: ready.lastTransitionTime },
    ]);
    const other = { ...same, status: 'True' };
    expect(podStatusPatch(shown, { conditions: [other] })?.status['conditions']).toEqual([
      { ...other, message: null },
    ]);
  });

  test('leaves conditions and fields of others alone, and takes back own ones', () => {
    const gate = { type: 'example.com/gate', status: 'True' };
    const shown = podOf({ conditions: [gate, ready], nominatedNodeName: 'x', reason: 'Old' });
    expect(podStatusPatch(shown, { conditions: [] })?.status).toEqual({
      reason: null,
      conditions: [{ type: 'Ready', $patch: 'delete' }],
    });
    expect(
      podStatusPatch(podOf({ conditions: [gate] }), { conditions: [{ ...gate, status: 'False' }] }),
    ).toBeUndefined();
  });

  test('replaces addresses as a list', () => {
    const shown = podOf({ podIPs: [{ ip: '10.1.0.2' }] });
    expect(podStatusPatch(shown, { podIPs: [{ ip: '10.1.0.3' }] })?.status).toEqual({
      podIPs: [{ ip: '10.1.0.3' }, { $patch: 'replace' }],
    });
  });

  test('does not move a start time, nor a pod out of its end', () => {
    const started = podOf({ phase: 'Running', startTime: '2026-01-01T00:00:00Z' });
    expect(podStatusPatch(started, { phase: 'Running', startTime: '2026-01-02T00:00:00Z' })).toBeUndefined();
    expect(podStatusPatch(podOf({ phase: 'Failed' }), { phase: 'Running' })).toBeUndefined();
    expect(podStatusPatch(podOf({ phase: 'Failed' }), { phase: 'Failed', message: 'why' })?.status).toEqual({
      message: 'why',
    });
  });
});

const statuses: fc.Arbitrary<PodStatus> = fc.record(
  {
    phase: fc.constantFrom('Pending', 'Running'),
    message: fc.string(),
    podIP: fc.string(),
    podIPs: fc.uniqueArray(fc.record({ ip: fc.string() }), { selector: ({ ip }) => ip }),
    containerStatuses: fc.array(
      fc.record({
        name: fc.string(),
        image: fc.string(),
        imageID: fc.string(),
        ready: fc.boolean(),
        restartCount: fc.nat(),
      }),
    ),
    conditions: fc.uniqueArray(
      fc.record({
        type: fc.constantFrom('Ready', 'Initialized', 'other'),
        status: fc.constantFrom('True', 'False'),
        reason: fc.string(),
        lastTransitionTime: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'),
      }),
      { selector: ({ type }) => type },
    ),
  },
  { requiredKeys: [] },
);

property.prop([statuses, statuses])(
  'applied once, nothing is left to say, and others are untouched',
  (before, wanted) => {
    const shown = podOf(before);
    const patch = podStatusPatch(shown, wanted);
    const after = patch === undefined ? shown : merged(shown, patch);
    expect(podStatusPatch(after, wanted)).toBeUndefined();
    const foreign = (pod: Pod): unknown =>
      pod.status?.conditions?.filter(({ type }) => type === 'other') ?? [];
    expect(foreign(after)).toEqual(foreign(shown));
  },
);
