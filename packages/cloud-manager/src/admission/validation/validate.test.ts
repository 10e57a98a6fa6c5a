import type { EdgeUnitSpec, UnitAppSpec } from '@selvedge/api';
import type { Clock } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import type { EdgeUnitObject } from '@selvedge/unit-controller';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { parseWrite, validated, type Validated } from './validate.ts';

const unit = (name: string, spec: EdgeUnitSpec = {}, labels: Readonly<Record<string, string>> = {}) => ({
  metadata: { name, labels },
  spec,
});

interface Asked {
  readonly before?: object;
  readonly units?: readonly EdgeUnitObject[];
  readonly clock?: Pick<Clock, 'now' | 'monotonicMs'>;
}

function answer(
  resource: string,
  object: object,
  { before, units = [], clock = createManualClock() }: Asked = {},
): Validated {
  const review = {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'u',
      operation: before === undefined ? 'CREATE' : 'UPDATE',
      resource: { group: '', version: 'v1', resource },
      object,
      oldObject: before ?? null,
    },
  };
  return validated(parseWrite(JSON.stringify(review)), { edgeUnits: new Map(units.entries()), clock });
}

const annotated = (annotations: Readonly<Record<string, string>>, more: object = {}): object => ({
  metadata: { name: 'x', annotations, ...more },
});
const scope = 'selvedge.io/traffic-scope';
const fallback = 'selvedge.io/traffic-fallback';

describe('annotations', () => {
  test.each<[string, string, object, RegExp]>([
    ['services', 'a scope', annotated({ [scope]: 'unit', [fallback]: 'cluster' }), /^taken$/],
    [
      'services',
      'another word',
      annotated({ [scope]: 'Unit' }),
      /is "Unit": it must be node, unit or cluster/,
    ],
    ['namespaces', 'another word', annotated({ [fallback]: 'node' }), /it must be none or cluster/],
    ['statefulsets', 'failover', annotated({ 'selvedge.io/failover': 'yes' }), /it must be true or false/],
    ['edgenodes', 'deletion', annotated({ 'selvedge.io/allow-deletion': 'True' }), /must be true or false/],
    ['edgenodes', 'joining', annotated({ 'selvedge.io/allow-join': '1' }), /must be true or false/],
    ['services', 'what is for others', annotated({ 'selvedge.io/failover': 'yes' }), /^taken$/],
  ])('of %s: %s', (resource, _what, object, expected) => {
    expect(answer(resource, object).why ?? 'taken').toMatch(expected);
  });

  test('that mean nothing are told', () => {
    const odd = annotated({ [scope]: 'unit', 'selvedge.io/traffic-scop': 'unit' });
    expect(answer('services', odd)).toEqual({
      why: undefined,
      warnings: [expect.stringMatching(/traffic-scop\] means nothing/)],
    });
    expect(answer('namespaces', annotated({ [fallback]: 'cluster' })).warnings).toHaveLength(1);
  });

  test('that were wrong before hinder no other change, and none hinders what goes', () => {
    const wrong = annotated({ [scope]: 'x' });
    expect(answer('services', wrong, { before: wrong })).toEqual({
      why: undefined,
      warnings: [expect.stringMatching(/^still so: .*is "x"/)],
    });
    expect(answer('services', wrong, { before: annotated({}) }).why).toMatch(/is "x"/);
    const going = annotated({ [scope]: 'x' }, { deletionTimestamp: '2026-01-01T00:00:00Z' });
    expect(answer('services', going, { before: annotated({}) }).why).toBeUndefined();
  });
});

describe('an EdgeUnit', () => {
  const window = { cron: '30 2 * * *', durationMinutes: 60, timeZone: 'UTC' };
  const members = { names: ['a', 'b'] };
  test.each<[string, EdgeUnitSpec, RegExp]>([
    ['windows', { members, maintenanceWindows: [window] }, /^taken$/],
    [
      'an hour that no day has',
      { maintenanceWindows: [{ ...window, cron: '0 25 * * *' }] },
      /cannot be used/,
    ],
    [
      'a zone that there is not',
      { maintenanceWindows: [{ ...window, timeZone: 'Mars/Base' }] },
      /Mars\/Base/,
    ],
    [
      'a selector that is none',
      { members: { nodeSelector: { matchLabels: { 'a.node-restriction.kubernetes.io/b': '-' } } } },
      /^spec\.members\.nodeSelector: /,
    ],
  ])('with %s', (_what, spec, expected) => {
    expect(answer('edgeunits', unit('u', spec)).why ?? 'taken').toMatch(expected);
  });

  test('is told what is odd about it', () => {
    const spec = { autonomy: '0s', maintenanceWindows: [{ ...window, cron: '0 0 30 2 *' }] };
    expect(answer('edgeunits', unit('u', spec)).warnings).toEqual([
      expect.stringMatching(/never comes/),
      expect.stringMatching(/as good as off/),
      expect.stringMatching(/no members/),
    ]);
    const older = { ...unit('older', { members: { names: ['b'] } }), status: { members: [{ name: 'a' }] } };
    const { warnings } = answer('edgeunits', unit('u', { members }), {
      units: [older, unit('u', { members })],
    });
    expect(warnings).toEqual([expect.stringMatching(/b \(older\), a \(older\)$/)]);
  });
});

describe('a UnitApp', () => {
  const containers = [{ name: 'till', image: 'till:1' }];
  const pods = { template: { spec: { containers } } };
  const app = (spec: Partial<UnitAppSpec> = {}): object => ({
    metadata: { name: 'till', namespace: 'shops', uid: 'u' },
    spec: { template: { kind: 'Deployment', spec: pods }, unitSelector: {}, ...spec },
  });
  const units = [unit('shop-1', {}, { tier: 'gold' }), unit('shop-2')];
  const metric = (url: string, field = '/a'): UnitAppSpec['rollout'] => ({
    healthGate: { metric: { url, field, atMost: '1' } },
  });

  test('that can be made everywhere is taken', () => {
    expect(answer('unitapps', app(), { units })).toEqual({ why: undefined, warnings: [] });
  });

  test.each<[string, Partial<UnitAppSpec>, RegExp]>([
    [
      'no pods',
      { template: { kind: 'Deployment', spec: {} } },
      /^in shop-1, shop-2: the template has no pods/,
    ],
    [
      'a label that a unit lacks',
      { configMaps: [{ name: 'c', data: { a: '{{unit.labels.tier}}' } }] },
      /^in shop-2: \{\{unit\.labels\.tier\}\} is not known/,
    ],
    [
      'a patch that leads nowhere in one unit',
      { overrides: [{ name: 'o', units: ['shop-1'], jsonPatch: [{ op: 'remove', path: '/spec/x' }] }] },
      /^in shop-1: override o: /,
    ],
    [
      'a pointer that is none',
      { overrides: [{ name: 'o', units: ['shop-1'], jsonPatch: [{ op: 'remove', path: '/a~2' }] }] },
      /jsonPatch: \/a~2 is no JSON pointer/,
    ],
    ['the same elsewhere', { unmanagedFields: ['/spec/~'] }, /^spec\.unmanagedFields: /],
    [
      'an hour that no day has',
      { scaling: { schedules: [{ name: 's', cron: '0 25 * * *', timeZone: 'UTC', replicas: 1 }] } },
      /^spec\.scaling\.schedules: the schedule s: /,
    ],
    ['a URL that is none', { rollout: metric('https://[x]/') }, /is no URL/],
    ['a secret in a URL', { rollout: metric('https://a:b@c/') }, /no credentials/],
    ['a field that is none', { rollout: metric('https://c/', '/~') }, /field: \/~ is no JSON pointer/],
    [
      'a selector that is none',
      { unitSelector: { matchExpressions: [{ key: 'a', operator: 'In', values: [] }] } },
      /^spec\.unitSelector: /,
    ],
  ])('with %s is refused', (_what, spec, expected) => {
    expect(answer('unitapps', app(spec), { units }).why).toMatch(expected);
  });

  test('that was broken by a new unit can be changed still', () => {
    const before = app({ configMaps: [{ name: 'c', data: { a: '{{unit.labels.tier}}' } }] });
    const after = app({ configMaps: [{ name: 'c', data: { a: '{{unit.labels.tier}}', b: '1' } }] });
    expect(answer('unitapps', after, { units, before }).why).toBeUndefined();
  });

  test('is told what is odd about it', () => {
    const rollout = {
      waves: [
        { name: 'one', percentage: 50 },
        { name: 'two', percentage: 50 },
      ],
    };
    const overrides = [{ name: 'o', units: ['later'], replicas: 1 }];
    expect(answer('unitapps', app({ rollout, overrides })).warnings).toEqual([
      expect.stringMatching(/waves\[two\]: 50% of the units/),
      expect.stringMatching(/no units later yet/),
      expect.stringMatching(/selects no unit yet/),
    ]);
  });

  test.each([
    ['StatefulSet', 'rollback', undefined, 1],
    ['StatefulSet', 'rollback', 'OrderedReady', 1],
    ['StatefulSet', 'rollback', 'Parallel', 0],
    ['StatefulSet', 'stop', undefined, 0],
    ['Deployment', 'rollback', undefined, 0],
  ] as const)(
    'that is a %s, %s, %s is warned of what does not heal: %i',
    (kind, onFailure, policy, count) => {
      const template = { kind, spec: policy === undefined ? pods : { ...pods, podManagementPolicy: policy } };
      const { warnings } = answer('unitapps', app({ template, rollout: { onFailure } }), { units });
      expect(warnings.filter((text) => text.includes('podManagementPolicy'))).toHaveLength(count);
    },
  );

  test('is tried as long as there is time, and the rest is told', () => {
    let readings = 0;
    const monotonicMs = (): number => 100 * readings++;
    const { warnings } = answer('unitapps', app(), { units, clock: { now: () => 0, monotonicMs } });
    expect(warnings).toEqual([]);
    const many = Array.from({ length: 9 }, (_, i) => unit(`shop-${i}`));
    readings = 0;
    expect(answer('unitapps', app(), { units: many, clock: { now: () => 0, monotonicMs } }).warnings).toEqual(
      ['tried in 2 units, not in 7 others'],
    );
  });

  test('is tried in so many units as there is time for, and the rest is told', () => {
    const many = Array.from({ length: 203 }, (_, i) => unit(`shop-${i}`));
    expect(answer('unitapps', app(), { units: many }).warnings).toEqual([
      'tried in 200 units, not in 3 others',
    ]);
  });
});

test('what is more than the schemas allow is no write of theirs', () => {
  const windows = Array.from({ length: 17 }, () => ({ cron: '0 0 * * *', durationMinutes: 1 }));
  expect(() => answer('edgeunits', unit('u', { maintenanceWindows: windows }))).toThrow(/no AdmissionReview/);
  const jsonPatch = Array.from({ length: 65 }, () => ({ op: 'remove', path: '/a' }));
  const app = { metadata: {}, spec: { overrides: [{ name: 'o', jsonPatch }] } };
  expect(() => answer('unitapps', app)).toThrow(/no AdmissionReview/);
});

property.prop([fc.oneof(fc.json(), fc.string())])('whatever is sent is a write or Invalid', (text) => {
  expect(() => parseWrite(text)).toThrow(expect.objectContaining({ code: 'Invalid' }));
});
