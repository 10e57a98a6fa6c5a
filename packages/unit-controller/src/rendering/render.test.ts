import { fc, test as property } from '@fast-check/vitest';
import type { UnitAppOverride, UnitAppSpec } from '@selvedge/api';
import type { JsonObject, JsonPatchOperation } from '@selvedge/kube';
import { describe, expect, test } from 'vitest';
import { unitNamed } from '../testing.ts';
import type { Child, RenderInput } from './child.ts';
import { renderShared, renderUnit } from './render.ts';
import { substituted, valuesOf } from './unit-values.ts';
import { withoutUnmanaged } from './unmanaged.ts';

const shop = valuesOf(unitNamed('shop-1', {}, { labels: { tier: 'gold', 'example.org/region': 'north' } }));
const containers = [{ name: 'till', image: 'till:1', env: [{ name: 'A', value: '1' }] }];
const template = (spec: object = {}, fields: object = {}): UnitAppSpec['template'] => ({
  kind: 'Deployment',
  spec: { replicas: 2, template: { spec: { containers, ...spec } }, ...fields },
});
const inputOf = (spec: Partial<UnitAppSpec> = {}): RenderInput => ({
  app: { metadata: { name: 'till', namespace: 'shops', uid: 'u-1' } },
  spec: { template: template(), unitSelector: {}, ...spec },
});

const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, key) => (inner as JsonObject | undefined)?.[key], value);
const kinds = (children: readonly Child[]): readonly string[] =>
  children.map(({ resource }) => resource.kind);
const workload = (input: RenderInput): Child['object'] => {
  const found = renderUnit(input, shop).find(({ resource }) => resource.apiVersion === 'apps/v1');
  if (found === undefined) throw new Error('no workload');
  return found.object;
};
const podSpec = (input: RenderInput): unknown => at(workload(input), 'spec', 'template', 'spec');
const terms = (input: RenderInput): unknown =>
  at(
    podSpec(input),
    'affinity',
    'nodeAffinity',
    'requiredDuringSchedulingIgnoredDuringExecution',
    'nodeSelectorTerms',
  );
const pinning = { key: 'selvedge.node-restriction.kubernetes.io/unit', operator: 'In', values: ['shop-1'] };

describe('a clone', () => {
  test('belongs to its UnitApp, is told from others by its labels and stays in its unit', () => {
    const object = workload(inputOf());
    const identity = { 'selvedge.io/unit': 'shop-1', 'selvedge.io/unit-app': 'till' };
    expect(object).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        name: 'till-shop-1',
        namespace: 'shops',
        labels: { ...identity, 'app.kubernetes.io/managed-by': 'selvedge-unit-controller' },
        ownerReferences: [
          {
            apiVersion: 'selvedge.io/v1alpha1',
            kind: 'UnitApp',
            name: 'till',
            uid: 'u-1',
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
      spec: {
        replicas: 2,
        selector: { matchLabels: identity },
        template: {
          metadata: { labels: identity },
          spec: {
            containers,
            affinity: {
              nodeAffinity: {
                requiredDuringSchedulingIgnoredDuringExecution: {
                  nodeSelectorTerms: [{ matchExpressions: [pinning] }],
                },
              },
            },
          },
        },
      },
    });
  });

  test('keeps the affinity of the template: each alternative stays one, in the unit', () => {
    const one = { matchExpressions: [{ key: 'gpu', operator: 'Exists' }] };
    const other = { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] };
    const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [one, other] } };
    const affinity = { nodeAffinity: required, podAffinity: { x: 1 } };
    const input = inputOf({ template: template({ affinity }) });
    expect(terms(input)).toEqual([
      { matchExpressions: [...one.matchExpressions, pinning] },
      { ...other, matchExpressions: [pinning] },
    ]);
    expect(at(podSpec(input), 'affinity', 'podAffinity')).toEqual({ x: 1 });
  });

  test('is refused if its pods name a node, or if there are none', () => {
    const named = inputOf({ template: template({ nodeName: 'n' }) });
    expect(() => renderUnit(named, shop)).toThrow(/leads past the scheduler/);
    const empty = inputOf({ template: { kind: 'Deployment', spec: {} } });
    expect(() => renderUnit(empty, shop)).toThrow(/the template has no pods/);
  });

  test('has the replicas of the override, else of the schedule, else of the template', () => {
    const overrides = [{ name: 'big', units: ['shop-1'], replicas: 5 }];
    const replicas = (input: RenderInput): unknown => at(workload(input), 'spec', 'replicas');
    expect(replicas({ ...inputOf({ overrides }), replicas: 3 })).toBe(5);
    expect(replicas({ ...inputOf(), replicas: 3 })).toBe(3);
    expect(replicas(inputOf())).toBe(2);
  });

  test('leaves replicas to its autoscaler, and a DaemonSet has none', () => {
    const scaling = { horizontal: { minReplicas: 1, maxReplicas: 4 } };
    const input = inputOf({ scaling });
    expect(at(workload(input), 'spec')).not.toHaveProperty('replicas');
    const [, scaler] = renderUnit(input, shop);
    expect(scaler?.object).toMatchObject({
      apiVersion: 'autoscaling/v2',
      metadata: { name: 'till-shop-1' },
      spec: { ...scaling.horizontal, scaleTargetRef: { kind: 'Deployment', name: 'till-shop-1' } },
    });
    const selector = { matchLabels: { shop: '{{unit.name}}' } };
    const horizontal = { maxReplicas: 4, metrics: [{ external: { metric: { selector } } }] };
    const [, own] = renderUnit(inputOf({ scaling: { horizontal } }), shop);
    expect(JSON.stringify(own?.object['spec'])).toContain('{"shop":"shop-1"}');
    const daemons = inputOf({ template: { ...template(), kind: 'DaemonSet' } });
    expect(at(workload(daemons), 'spec')).not.toHaveProperty('replicas');
  });
});

describe('overrides', () => {
  test('change containers by name: the image, variables one by one, resources as a whole', () => {
    const override: UnitAppOverride = {
      name: 'gold',
      unitSelector: { matchLabels: { tier: 'gold' } },
      containers: [
        {
          name: 'till',
          image: 'till:2',
          env: [
            { name: 'A', value: '{{unit.name}}' },
            { name: 'B', value: '2' },
          ],
          resources: { limits: { cpu: '1' } },
        },
      ],
    };
    expect(at(podSpec(inputOf({ overrides: [override] })), 'containers')).toEqual([
      {
        name: 'till',
        image: 'till:2',
        env: [
          { name: 'A', value: 'shop-1' },
          { name: 'B', value: '2' },
        ],
        resources: { limits: { cpu: '1' } },
      },
    ]);
  });

  test('are applied in their order, those for other units not at all', () => {
    const image = (name: string, units: readonly string[], value: string): UnitAppOverride => ({
      name,
      units,
      containers: [{ name: 'till', image: value }],
    });
    const all = [
      image('one', ['shop-1'], 'a'),
      image('two', ['shop-2'], 'b'),
      image('three', ['shop-1'], 'c'),
    ];
    expect(at(podSpec(inputOf({ overrides: all })), 'containers')).toMatchObject([{ image: 'c' }]);
  });

  test('patch by the merge keys of Kubernetes, then by JSON pointers', () => {
    const override: UnitAppOverride = {
      name: 'patched',
      units: ['shop-1'],
      strategicMerge: {
        spec: { template: { spec: { containers: [{ name: 'side', image: 'side:1' }], hostNetwork: true } } },
      },
      jsonPatch: [{ op: 'replace', path: '/spec/template/spec/containers/1/image', value: 'last:1' }],
    };
    const input = inputOf({ overrides: [override] });
    expect(at(podSpec(input), 'containers')).toMatchObject([
      { name: 'side' },
      { name: 'till', image: 'last:1' },
    ]);
    expect(at(podSpec(input), 'hostNetwork')).toBe(true);
  });

  test.each<[string, Partial<UnitAppOverride>, RegExp]>([
    ['a container that is not there', { containers: [{ name: 'bar' }] }, /no container bar/],
    ['a path that is not there', { jsonPatch: [{ op: 'remove', path: '/spec/nothing' }] }, /no "nothing"/],
    ['the whole object', { jsonPatch: [{ op: 'replace', path: '', value: 1 }] }, /leaves no object/],
  ])('that change %s are refused by name', (_what, fields, message) => {
    const input = inputOf({ overrides: [{ name: 'wrong', units: ['shop-1'], ...fields }] });
    expect(() => renderUnit(input, shop)).toThrow(/override wrong: /);
    expect(() => renderUnit(input, shop)).toThrow(message);
  });
});

describe('what comes with a clone', () => {
  test('is named for the unit, and the clone names it so', () => {
    const settings = [{ configMapRef: { name: 'settings' } }, { configMapRef: { name: 'other' } }];
    const keyed = [{ name: 'K', valueFrom: { secretKeyRef: { name: 'key', key: 'k' } } }];
    const volumes = [
      { name: 'a', configMap: { name: 'settings' } },
      { name: 'b', secret: { secretName: 'key' } },
      {
        name: 'c',
        projected: { sources: [{ secret: { name: 'key' } }, { configMap: { name: 'settings' } }] },
      },
    ];
    const input = inputOf({
      template: template({
        containers: [{ name: 'till', image: 'till:1', envFrom: settings, env: keyed }],
        volumes,
        imagePullSecrets: [{ name: 'key' }, { name: 'elsewhere' }],
      }),
      configMaps: [
        { name: 'settings', data: { shop: '{{ unit.name }} in {{unit.labels.example.org/region}}' } },
      ],
      secrets: [{ name: 'key', stringData: { k: '{{unit.name}}' } }],
    });
    const [configMap, secret] = renderUnit(input, shop).map(({ object }) => object);
    expect(configMap).toMatchObject({ data: { shop: 'shop-1 in north' } });
    expect(secret).toMatchObject({ type: 'Opaque', data: { k: Buffer.from('shop-1').toString('base64') } });
    const [settingsName, keyName] = [configMap, secret].map((object) => object?.metadata.name ?? '');
    expect(settingsName).toMatch(/^till-settings-shop-1-[0-9a-z]{10}$/);
    expect(podSpec(input)).toMatchObject({
      containers: [
        {
          envFrom: [{ configMapRef: { name: settingsName } }, { configMapRef: { name: 'other' } }],
          env: [{ valueFrom: { secretKeyRef: { name: keyName } } }],
        },
      ],
      volumes: [
        { configMap: { name: settingsName } },
        { secret: { secretName: keyName } },
        { projected: { sources: [{ secret: { name: keyName } }, { configMap: { name: settingsName } }] } },
      ],
      imagePullSecrets: [{ name: keyName }, { name: 'elsewhere' }],
    });
  });

  test('has pods made anew when a text in it is another one, and only then', () => {
    const hashWith = (text: string): unknown => {
      const input = inputOf({ configMaps: [{ name: 'settings', data: { text } }] });
      const [, made] = renderUnit(input, shop);
      return at(made?.object, 'spec', 'template', 'metadata', 'annotations', 'selvedge.io/configuration');
    };
    expect(hashWith('a')).toMatch(/^[0-9a-z]{10}$/);
    expect(hashWith('a')).toBe(hashWith('a'));
    expect(hashWith('b')).not.toBe(hashWith('a'));
    expect(at(workload(inputOf()), 'spec', 'template', 'metadata')).not.toHaveProperty('annotations');
  });

  test('is a Service for the unit, or one for all whose traffic stays in the unit', () => {
    const stateful = { ...template(), kind: 'StatefulSet' as const };
    const spec = { ports: [{ port: 80 }], selector: { app: 'other' } };
    const own = inputOf({ template: stateful, service: { spec } });
    const [service] = renderUnit(own, shop);
    expect(kinds(renderUnit(own, shop))).toEqual(['Service', 'StatefulSet']);
    expect(service?.object).toMatchObject({
      metadata: { name: 'till-shop-1' },
      spec: { selector: { 'selvedge.io/unit': 'shop-1', 'selvedge.io/unit-app': 'till' } },
    });
    expect(at(workload(own), 'spec', 'serviceName')).toBe('till-shop-1');
    expect(renderShared(own)).toEqual([]);
    const shared = inputOf({ template: stateful, service: { spec, shared: true } });
    expect(kinds(renderUnit(shared, shop))).toEqual(['StatefulSet']);
    expect(at(workload(shared), 'spec', 'serviceName')).toBe('till');
    expect(renderShared(shared)[0]?.object).toMatchObject({
      metadata: { name: 'till', annotations: { 'selvedge.io/traffic-scope': 'unit' } },
      spec: { ports: [{ port: 80 }], selector: { 'selvedge.io/unit-app': 'till' } },
    });
  });
});

test('a shared Service is open where its annotation says so, and asks of no unit', () => {
  const shared = (annotations: Readonly<Record<string, string>>): RenderInput =>
    inputOf({ service: { shared: true, spec: {}, metadata: { annotations } } });
  const scope = 'selvedge.io/traffic-scope';
  const [open] = renderShared(shared({ [scope]: 'cluster' }));
  expect(open?.object.metadata.annotations).toEqual({ [scope]: 'cluster' });
  expect(() => renderShared(shared({ shop: '{{ unit.name }}' }))).toThrow(
    '{{ unit.name }} cannot be in a shared Service: it is one for all units',
  );
});

describe('a variable', () => {
  test('stands for text and nothing else; other braces stay', () => {
    expect(substituted('{{ .Values.x }} {{unit.name}} {{unit.labels.selvedge.io/unit}}', shop)).toBe(
      '{{ .Values.x }} shop-1 shop-1',
    );
    expect(substituted('https://a/?q={{unit.name}}', { ...shop, name: 'a&b' }, encodeURIComponent)).toBe(
      'https://a/?q=a%26b',
    );
  });

  test('that the unit does not have is refused', () => {
    expect(() => substituted('{{unit.labels.colour}}', shop)).toThrow(/shop-1 has no label colour/);
    expect(() => substituted('{{unit.labels.constructor}}', shop)).toThrow(/has no label constructor/);
    expect(() => substituted('{{unit.uid}}', shop)).toThrow(/is no variable/);
  });
});

test('what is left to others is not applied', () => {
  const object = {
    spec: { replicas: 1, template: { x: 1 } },
    metadata: { annotations: { 'a/b': '1', c: '2' } },
  };
  expect(
    withoutUnmanaged(object, ['/spec/replicas', '/metadata/annotations/a~1b', '/spec/no/thing']),
  ).toEqual({
    spec: { template: { x: 1 } },
    metadata: { annotations: { c: '2' } },
  });
});

const pointer = fc.constantFrom(
  '/spec/selector',
  '/spec/template/metadata',
  '/spec/template/spec/affinity',
  '/spec/template/spec/nodeName',
  '/metadata/labels',
  '/metadata/name',
  '/metadata/ownerReferences',
  '/kind',
);
const value = fc.constantFrom<unknown>({}, null, [], 'x', { nodeAffinity: null }, { matchLabels: {} });
const operation = fc.record({ op: fc.constant('add' as const), path: pointer, value });

property.prop([fc.array(operation, { maxLength: 4 })])(
  'an override neither leads out of the unit nor makes the clone another object',
  (operations: readonly JsonPatchOperation[]) => {
    const jsonPatch = operations as UnitAppOverride['jsonPatch'];
    const input = inputOf({ overrides: [{ name: 'wild', units: ['shop-1'], jsonPatch }] });
    const plain = workload(inputOf());
    let object: Child['object'];
    try {
      object = workload(input);
    } catch {
      return;
    }
    expect(at(object, 'spec', 'selector')).toEqual(at(plain, 'spec', 'selector'));
    expect(at(object, 'spec', 'template', 'metadata', 'labels')).toMatchObject(
      at(plain, 'spec', 'selector', 'matchLabels') as object,
    );
    expect(terms(input)).toEqual([{ matchExpressions: [pinning] }]);
    expect(object.kind).toBe('Deployment');
    expect(object.metadata.name).toBe('till-shop-1');
    expect(object.metadata.ownerReferences).toEqual(plain.metadata.ownerReferences);
    expect(object.metadata.labels).toMatchObject(plain.metadata.labels ?? {});
  },
);
