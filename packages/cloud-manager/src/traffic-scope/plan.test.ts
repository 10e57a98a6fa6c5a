import type { KubeObject } from '@selvedge/kube';
import { describe, expect, test } from 'vitest';
import { fieldManager, keptTraffic, planInheritance } from './plan.ts';

const scope = 'selvedge.io/traffic-scope';
const fallback = 'selvedge.io/traffic-fallback';

type Annotations = Readonly<Record<string, string>>;

const managed = (manager: string, keys: readonly string[]) => ({
  manager,
  operation: 'Apply',
  fieldsV1: { 'f:metadata': { 'f:annotations': Object.fromEntries(keys.map((key) => [`f:${key}`, {}])) } },
});

/** `inherited`: what our field manager has; `shared`: what another one has too. */
function service(
  annotations: Annotations,
  inherited: readonly string[] = [],
  shared: readonly string[] = [],
): KubeObject {
  const managedFields = [managed(fieldManager, inherited), managed('kubectl', shared)];
  return keptTraffic({ metadata: { namespace: 'shop', name: 'till', annotations, managedFields } });
}
const namespace = (annotations: Annotations): KubeObject => ({ metadata: { name: 'shop', annotations } });
const unit = { [scope]: 'unit' };

describe('a Service', () => {
  test.each<[string, KubeObject, Annotations, Annotations | undefined]>([
    [
      'gets what its namespace says',
      service({}),
      { ...unit, [fallback]: 'cluster' },
      { ...unit, [fallback]: 'cluster' },
    ],
    ['keeps it without a write', service(unit, [scope]), unit, undefined],
    ['follows it', service(unit, [scope]), { [scope]: 'node' }, { [scope]: 'node' }],
    ['loses it', service(unit, [scope]), {}, {}],
    ['loses the half of it', service({ ...unit, [fallback]: 'cluster' }, [scope, fallback]), unit, unit],
    ['keeps its own', service({ [scope]: 'node' }), unit, undefined],
    ['keeps its own of the same value', service(unit), { [scope]: 'node' }, undefined],
    ['keeps what somebody made his own', service(unit, [scope], [scope]), { [scope]: 'node' }, undefined],
    [
      'gets what it has not',
      service({ [scope]: 'node' }),
      { ...unit, [fallback]: 'cluster' },
      { [fallback]: 'cluster' },
    ],
    ['gets nothing of no meaning', service({}), { [scope]: 'Unit' }, undefined],
    [
      'keeps it while the namespace says what has no meaning',
      service(unit, [scope]),
      { [scope]: 'Unit' },
      undefined,
    ],
    [
      'keeps it while the half of that has no meaning',
      service(unit, [scope]),
      { [scope]: 'node', [fallback]: 'Cluster' },
      undefined,
    ],
    ['gets it back when it was taken', service({}, []), unit, unit],
  ])('%s', (_what, one, annotations, expected) => {
    expect(planInheritance(one, namespace(annotations))).toEqual(expected);
  });

  test('of the API server gets nothing', () => {
    const one = { metadata: { namespace: 'default', name: 'kubernetes' } };
    expect(planInheritance(one, namespace(unit))).toBeUndefined();
  });

  test('without a namespace that is known loses what it had', () => {
    expect(planInheritance(service(unit, [scope]), undefined)).toEqual({});
  });
});
