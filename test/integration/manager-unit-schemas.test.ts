import { join } from 'node:path';
import { type UnitAppSpec, edgeUnits, unitApps } from '@selvedge/api';
import { ensureAssets } from '@selvedge/hack/setup';
import { systemClock } from '@selvedge/kit';
import { type KubeObject, defineResource, mergePatch } from '@selvedge/kube';
import { renderShared, renderUnit, valuesOf } from '@selvedge/unit-controller';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PrivateControlPlane } from '../bed/control-plane/private-control-plane.ts';
import { type Kubectl, createKubectl } from '../bed/kubectl.ts';
import { waitFor } from '../bed/wait.ts';
import { type TestClient, connect, startControlPlane } from './kube-world.ts';

type Fields = Readonly<Record<string, unknown>>;
type Custom = KubeObject & { readonly spec?: Fields; readonly status?: Fields };

const { signal } = new AbortController();
const units = defineResource<Custom>(edgeUnits);
const apps = defineResource<Custom>(unitApps);
const crds = join(import.meta.dirname, '../../deploy/crds');

let controlPlane: PrivateControlPlane;
let world: TestClient;
let kubectl: Kubectl;

beforeAll(async () => {
  const { kubectl: program } = await ensureAssets({ binaries: ['kubectl'] });
  controlPlane = await startControlPlane();
  world = await connect(controlPlane.kubeconfig);
  kubectl = createKubectl({ program, kubeconfig: controlPlane.kubeconfig });
  await kubectl(['apply', '--server-side', '--kustomize', crds]);
  await kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all']);
});
afterAll(async () => {
  await world.client.close();
  await controlPlane.stop();
});

const unit = (spec: Fields, name = 'strict'): Promise<Custom> =>
  world.client.create(units, { metadata: { name }, spec }, { signal, dryRun: true });

const container = { name: 'till', image: 'till:1' };
const template = {
  kind: 'Deployment',
  spec: { replicas: 2, template: { spec: { containers: [container] } } },
};
const app = (spec: Fields, name = 'till'): Promise<Custom> =>
  world.client.create(
    apps,
    { metadata: { name, namespace: 'default' }, spec: { template, unitSelector: {}, ...spec } },
    { signal, dryRun: true },
  );

describe('an EdgeUnit', () => {
  test('has its defaults', async () => {
    expect((await unit({})).spec).toEqual({
      members: {},
      unschedulable: false,
      uplinkSharing: false,
      deletionPolicy: 'refuse',
    });
    const windows = [{ cron: '30 2 * * MON-FRI', durationMinutes: 60 }];
    const { spec } = await unit({ maintenanceWindows: windows });
    expect(spec?.['maintenanceWindows']).toEqual([{ ...windows[0], timeZone: 'UTC' }]);
  });

  test.each([
    ['members by name', { members: { names: ['a', 'b.example.org'] } }],
    [
      'members by labels of the cloud',
      {
        members: {
          nodeSelector: {
            matchLabels: { 'shops.node-restriction.kubernetes.io/shop': '7' },
            matchExpressions: [{ key: 'node-role.kubernetes.io/till', operator: 'Exists' }],
          },
        },
      },
    ],
    ['no autonomy', { autonomy: 'off' }],
    ['a period of autonomy', { autonomy: '1h30m' }],
    [
      'labels, annotations and taints',
      {
        labels: { tier: 'gold', 'example.org/tier': '' },
        annotations: { 'example.org/contact': 'anne' },
        taints: [{ key: 'example.org/shop', value: '7', effect: 'NoSchedule' }],
      },
    ],
  ])('takes %s', async (_what, spec) => {
    await expect(unit(spec)).resolves.toBeDefined();
  });

  test.each([
    [
      'both kinds of members',
      { members: { names: ['a'], nodeSelector: { matchLabels: { 'node-role.kubernetes.io/x': '' } } } },
      /give either names or nodeSelector, not both/,
    ],
    [
      'a label that nodes may write',
      { members: { nodeSelector: { matchLabels: { 'example.org/shop': '7' } } } },
      /only labels that nodes cannot write select members/,
    ],
    [
      'such a label in an expression',
      {
        members: {
          nodeSelector: {
            matchExpressions: [{ key: 'evil.org/node-restriction.kubernetes.io/x', operator: 'Exists' }],
          },
        },
      },
      /only labels that nodes cannot write select members/,
    ],
    ['an empty selector', { members: { nodeSelector: {} } }, /would take every node of the cluster/],
    [
      'an expression without values',
      {
        members: {
          nodeSelector: { matchExpressions: [{ key: 'node-role.kubernetes.io/x', operator: 'In' }] },
        },
      },
      /In and NotIn need values/,
    ],
    ['a value that no label has', { labels: { tier: 'a b' } }, /a value has at most 63 characters/],
    ['a key that no label has', { labels: { 'a b': 'x' } }, /a key is a name of at most 63 characters/],
    ['a zone that no label has', { zone: 'a b' }, /a value has at most 63 characters/],
    ['the key of no taint', { taints: [{ key: 'a b', effect: 'NoExecute' }] }, /a key is a name/],
    ['the label of the zone', { labels: { 'topology.kubernetes.io/zone': 'a' } }, /there is spec.zone/],
    [
      'the label of the unit',
      { labels: { 'selvedge.node-restriction.kubernetes.io/unit': 'a' } },
      /are not to be set/,
    ],
    ['our annotations', { annotations: { 'selvedge.io/x': 'a' } }, /annotations of selvedge.io/],
    [
      'a taint of Kubernetes',
      { taints: [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }] },
      /set by Kubernetes or by Selvedge itself/,
    ],
    [
      'one taint twice',
      {
        taints: [
          { key: 'a', effect: 'NoExecute' },
          { key: 'a', value: 'b', effect: 'NoExecute' },
        ],
      },
      /Duplicate value/,
    ],
    ['a period in days', { autonomy: '3d' }, /must be off, forever, or a duration/],
    ['an empty period', { autonomy: '' }, /should be at least 1 chars long/],
    ['another policy', { deletionPolicy: 'drain' }, /Unsupported value: "drain"/],
    [
      'a window without fields',
      { maintenanceWindows: [{ cron: 'every night', durationMinutes: 60 }] },
      /must have five fields/,
    ],
    [
      'a window without length',
      { maintenanceWindows: [{ cron: '0 2 * * *', durationMinutes: 0 }] },
      /greater than or equal to 1/,
    ],
  ])('refuses %s', async (_what, spec, message) => {
    await expect(unit(spec)).rejects.toThrow(message);
  });

  test('refuses a name that is no value of a label', async () => {
    await expect(unit({}, 'shop.7')).rejects.toThrow(/the name of a unit is the value of a label/);
    await expect(unit({}, 'a'.repeat(64))).rejects.toThrow(/at most 63 characters/);
    await expect(unit({}, 'a'.repeat(63))).resolves.toBeDefined();
  });
});

describe('a UnitApp', () => {
  test('has its defaults, and what it does not know of the template stays', async () => {
    const { spec } = await app({});
    expect(spec).toEqual({
      template,
      unitSelector: {},
      revisionHistoryLimit: 10,
      rollout: {
        maxUnavailableUnits: '10%',
        pause: false,
        bakeSeconds: 60,
        unitDeadlineSeconds: 600,
        maxFailedUnits: 0,
        healthGate: { availablePercent: 100, maxRestarts: 3 },
        onFailure: 'stop',
        maintenanceWindows: 'respect',
      },
    });
  });

  test.each<[string, Fields]>([
    [
      'everything at once',
      {
        service: { shared: true, spec: { ports: [{ port: 80 }] } },
        configMaps: [{ name: 'settings', data: { shop: '{{unit.name}}' } }],
        secrets: [{ name: 'key', stringData: { key: 'x' } }],
        unitSelector: { matchExpressions: [{ key: 'region', operator: 'In', values: ['north'] }] },
        overrides: [
          {
            name: 'big',
            units: ['shop-1'],
            replicas: 5,
            containers: [
              {
                name: 'till',
                image: 'till:2',
                env: [{ name: 'A', value: '{{unit.labels.tier}}' }],
                resources: { limits: { cpu: '1' } },
              },
            ],
            strategicMerge: { spec: { template: { spec: { hostNetwork: true } } } },
            jsonPatch: [
              { op: 'add', path: '/spec/paused', value: false },
              { op: 'remove', path: '/spec/paused' },
            ],
          },
        ],
        scaling: { schedules: [{ name: 'open', cron: '0 8 * * *', timeZone: 'Europe/Berlin', replicas: 3 }] },
        unmanagedFields: ['/spec/replicas', '/spec/template/metadata/annotations'],
        rollout: {
          waves: [
            { name: 'canary', unitSelector: { matchLabels: { canary: 'yes' } } },
            { name: 'half', percentage: 50 },
          ],
          maxUnavailableUnits: 2,
          healthGate: {
            metric: {
              url: 'https://metrics.example.org/api/v1/query?query=errors{unit="{{unit.name}}"}',
              field: '/data/result/0/value/1',
              atMost: '0.01',
            },
          },
        },
        rollbackTo: 3,
      },
    ],
    ['metrics that scale', { scaling: { horizontal: { maxReplicas: 4, metrics: [{ type: 'Resource' }] } } }],
  ])('takes %s', async (_what, spec) => {
    expect((await app(spec)).spec).toMatchObject(spec);
  });

  const wave = (fields: Fields): Fields => ({ rollout: { waves: [{ name: 'one', ...fields }] } });
  const override = (fields: Fields): Fields => ({
    overrides: [{ name: 'one', units: ['shop-1'], ...fields }],
  });

  test.each<[string, Fields, RegExp]>([
    ['another kind', { template: { kind: 'Job', spec: {} } }, /Unsupported value: "Job"/],
    ['a template without a spec', { template: { kind: 'Deployment' } }, /spec.template.spec: Required value/],
    [
      'a DaemonSet that is scaled',
      { template: { ...template, kind: 'DaemonSet' }, scaling: { horizontal: { maxReplicas: 2 } } },
      /it cannot be scaled/,
    ],
    [
      'two ways to scale',
      {
        scaling: {
          horizontal: { maxReplicas: 2 },
          schedules: [{ name: 'a', cron: '0 8 * * *', replicas: 1 }],
        },
      },
      /give either schedules or horizontal/,
    ],
    [
      'bounds the wrong way round',
      { scaling: { horizontal: { minReplicas: 3, maxReplicas: 2 } } },
      /minReplicas is more than maxReplicas/,
    ],
    ['a wave of nothing', wave({}), /a wave has either unitSelector or percentage/],
    ['a wave of both', wave({ unitSelector: {}, percentage: 5 }), /a wave has either/],
    ['no units at a time', { rollout: { maxUnavailableUnits: 0 } }, /must be a number of at least 1/],
    ['less than no units', { rollout: { maxUnavailableUnits: '0%' } }, /a percentage from 1% to 100%/],
    [
      'a metric without bounds',
      { rollout: { healthGate: { metric: { url: 'https://a', field: '/a' } } } },
      /give atLeast, atMost or both/,
    ],
    [
      'a bound that is no number',
      { rollout: { healthGate: { metric: { url: 'https://a', field: '/a', atMost: 'few' } } } },
      /must be a decimal number in quotes/,
    ],
    [
      'a metric in a file',
      { rollout: { healthGate: { metric: { url: 'file:///etc', field: '/a', atMost: '1' } } } },
      /must be an http or https URL/,
    ],
    ['an override of no units', override({ units: undefined }), /give either units or unitSelector/],
    ['an override of both', override({ unitSelector: {} }), /give either units or unitSelector/],
    [
      'a move from nowhere',
      override({ jsonPatch: [{ op: 'move', path: '/spec/a' }] }),
      /move and copy have from/,
    ],
    ['a relative pointer', override({ jsonPatch: [{ op: 'remove', path: 'spec' }] }), /begins with \//],
    ['unmanaged identities', { unmanagedFields: ['/metadata/name'] }, /must be a JSON pointer under \/spec/],
    ['an unmanaged revision', { unmanagedFields: ['/metadata/labels/selvedge.io~1revision'] }, /is known by/],
    [
      'unmanaged labels of pods',
      { unmanagedFields: ['/spec/template/metadata/labels/selvedge.io~1unit'] },
      /is known by/,
    ],
    ['an unmanaged selector', { unmanagedFields: ['/spec/selector/matchLabels'] }, /is known by/],
    ['an unmanaged template', { unmanagedFields: ['/spec/template'] }, /is known by/],
    ['a revision zero', { rollbackTo: 0 }, /greater than or equal to 1/],
    [
      'a time zone of no form',
      { scaling: { schedules: [{ name: 'a', cron: '0 8 * * *', timeZone: '+02:00', replicas: 1 }] } },
      /must be the name of a time zone/,
    ],
  ])('refuses %s', async (_what, spec, message) => {
    await expect(app(spec)).rejects.toThrow(message);
  });

  test('refuses a name that is none of a Service', async () => {
    await expect(app({}, '7-till')).rejects.toThrow(/beginning with a letter/);
    await expect(app({}, 'a'.repeat(53))).rejects.toThrow(/at most 52 characters/);
  });

  test('keeps its kind', async () => {
    const metadata = { name: 'kept', namespace: 'default' };
    await world.client.create(apps, { metadata, spec: { template, unitSelector: {} } }, { signal });
    const patch = mergePatch({ spec: { template: { kind: 'StatefulSet' } } });
    await expect(world.client.patch(apps, metadata, { patch, signal })).rejects.toThrow(
      /the kind of a UnitApp cannot be changed/,
    );
  });
});

test.each(['Deployment', 'StatefulSet', 'DaemonSet'] as const)(
  'what a UnitApp of a %s makes in a unit is what the API server takes',
  async (kind) => {
    const scaling = { horizontal: { minReplicas: 1, maxReplicas: 3 } };
    const spec: UnitAppSpec = {
      template: {
        kind,
        metadata: { labels: { tier: '{{unit.labels.tier}}' } },
        spec: {
          template: { spec: { containers: [{ ...container, envFrom: [{ secretRef: { name: 'key' } }] }] } },
        },
      },
      unitSelector: {},
      service: { spec: { ports: [{ port: 80 }] } },
      configMaps: [{ name: 'settings', data: { shop: '{{unit.name}}' } }],
      secrets: [{ name: 'key', stringData: { k: '{{unit.name}}' } }],
      overrides: [
        {
          name: 'gold',
          units: ['shop-1'],
          containers: [{ name: 'till', resources: { limits: { cpu: '1' } } }],
          strategicMerge: { spec: { template: { spec: { terminationGracePeriodSeconds: 5 } } } },
        },
      ],
      ...(kind === 'DaemonSet' ? {} : { scaling }),
    };
    const metadata = { name: 'point-of-sale', namespace: 'default', uid: 'u-1' };
    const shop = valuesOf({ metadata: { name: 'shop-1', labels: { tier: 'gold' } } });
    const children = [
      ...renderUnit({ app: { metadata }, spec }, shop),
      ...renderShared({
        app: { metadata },
        spec: { ...spec, service: { spec: { ports: [{ port: 80 }] }, shared: true } },
      }),
    ];
    for (const { resource, object } of children) {
      const made = await world.client.create(resource, object, { dryRun: true, signal });
      expect(made).toMatchObject(object);
    }
    expect(children).toHaveLength(kind === 'DaemonSet' ? 5 : 6);
  },
);

describe('people', () => {
  test('see what matters in columns, and can wait for conditions', async () => {
    const metadata = { name: 'shop-1' };
    await world.client.create(units, { metadata, spec: {} }, { signal });
    const settled = {
      type: 'Settled',
      status: 'True',
      reason: 'Settled',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    const status = {
      members: [{ name: 'a', addresses: ['10.0.0.1'], state: 'Connected' }],
      counts: { members: 1, settled: 1, missing: 0, conflicts: 0, connected: 1 },
      conditions: [settled],
    };
    await world.client.patch(units, metadata, {
      patch: mergePatch({ status }),
      subresource: 'status',
      signal,
    });
    const { stdout } = await kubectl(['get', 'eu', 'shop-1', '--no-headers']);
    expect(stdout.split(/\s+/).slice(0, 5)).toEqual(['shop-1', '1', '1', 'True', '0']);
    await kubectl(['wait', '--for=condition=Settled', '--timeout=10s', 'edgeunit/shop-1']);
    const explained = await kubectl(['explain', 'unitapp.spec.rollout.bakeSeconds']);
    expect(explained.stdout).toContain('How long all units of a wave');
  });

  test('cannot delete a unit that has members unless they say what becomes of them', async () => {
    // The policy is in force a moment after it was made.
    await waitFor({ what: 'a refusal' }, systemClock, async () =>
      kubectl(['delete', 'edgeunit', 'shop-1', '--dry-run=server']).then(
        () => false,
        (error: Error) => error.message.includes('the EdgeUnit has members'),
      ),
    );
    const patch = mergePatch({ spec: { deletionPolicy: 'release' } });
    await world.client.patch(units, { name: 'shop-1' }, { patch, signal });
    await kubectl(['delete', 'edgeunit', 'shop-1']);
  });
});
