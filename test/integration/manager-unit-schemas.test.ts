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
import {
  container,
  refusedApps,
  refusedUnits,
  takenApps,
  takenUnits,
  template,
} from './unit-schema-cases.ts';

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

  test.each(takenUnits)('takes %s', async (_what, spec) => {
    await expect(unit(spec)).resolves.toBeDefined();
  });

  test.each(refusedUnits)('refuses %s', async (_what, spec, message) => {
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

  test.each(takenApps)('takes %s', async (_what, spec) => {
    expect((await app(spec)).spec).toMatchObject(spec);
  });

  test.each(refusedApps)('refuses %s', async (_what, spec, message) => {
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
