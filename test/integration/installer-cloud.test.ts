import { edgeNodes, edgeUnits, managerNamespace } from '@selvedge/api';
import {
  allOf,
  cloudStatus,
  createReading,
  desiredObjects,
  lookAtCloud,
  planCloud,
} from '@selvedge/installer/testing';
import { type KubeObject, defineResource, isObject, mergePatch, resources } from '@selvedge/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { chartFolder } from '../bed/helm.ts';
import { testHelmAlone } from './installer-cloud-helm-suite.ts';
import { testInterruptions } from './installer-cloud-lost-suite.ts';
import {
  type CloudWorld,
  allObjects,
  convertCloud,
  corefile,
  endNamespace,
  options,
  revertCloud,
  silent,
  startCloudWorld,
} from './installer-cloud-world.ts';

const { signal } = new AbortController();
const release = ['selvedge', chartFolder, `--namespace=${managerNamespace}`] as const;
let world: CloudWorld;
let vanilla: readonly string[];

beforeAll(async () => {
  world = await startCloudWorld();
  vanilla = await allObjects(world.cluster);
});
afterAll(() => world[Symbol.asyncDispose]());

const reading = () => createReading({ cluster: world.cluster, signal });

const backToVanilla = async (): Promise<void> => {
  await endNamespace(world);
  // Definitions go when their objects are gone.
  await expect.poll(() => allObjects(world.cluster)).toEqual(vanilla);
};

/** Without what makes an object helm's. */
function bare(object: KubeObject): unknown {
  const { annotations = {}, labels = {}, ...metadata } = object.metadata;
  const without = (map: Readonly<Record<string, string>>, ...keys: readonly string[]): object =>
    Object.fromEntries(Object.entries(map).filter(([key]) => !keys.includes(key)));
  return {
    ...object,
    metadata: {
      ...metadata,
      labels: without(labels, 'app.kubernetes.io/managed-by'),
      annotations: without(annotations, 'meta.helm.sh/release-name', 'meta.helm.sh/release-namespace'),
    },
  };
}

const byName = (objects: readonly KubeObject[]): readonly unknown[] =>
  objects
    .map(
      (one) => [`${one.kind} ${one.metadata.namespace ?? ''}/${one.metadata.name ?? ''}`, bare(one)] as const,
    )
    .toSorted(([a], [b]) => (a < b ? -1 : 1));

describe('the objects', () => {
  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['its own', {}],
    [
      'many others',
      {
        image: { repository: 'r.example.com/cm', digest: `sha256:${'0'.repeat(64)}` },
        imagePullSecrets: [{ name: 'pull' }],
        replicas: 3,
        nodeSelector: { pool: 'system' },
        affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: null } },
        podLabels: { a: 'b' },
        podAnnotations: { c: 'd' },
        tunnelService: { type: 'NodePort', loadBalancerClass: 'x', annotations: { e: 'f' } },
        crds: { install: false },
        extraVolumes: [{ name: 'ca', configMap: { name: 'ca' } }],
        extraVolumeMounts: [{ name: 'ca', mountPath: '/ca' }],
        config: {
          connectProxy: null,
          tunnel: { drainSeconds: 300 },
          webhook: { reach: { service: { port: 8443 } } },
        },
      },
    ],
  ])('are those that helm renders from the chart with %s values', async (_which, values) => {
    const { stdout } = await world.helm('template', ...release, ...valuesArguments(values));
    // As helm reads it: 0440 is a number of base 8.
    const rendered = parseAllDocuments(stdout, { version: '1.1' })
      .map((each) => each.toJS() as KubeObject | null)
      .filter((one) => one !== null);
    const own = allOf(desiredObjects({ ...options, values }, []));
    expect(byName(own)).toEqual(byName(rendered));
  });
});

/** As JSON, which is YAML. */
function valuesArguments(values: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(values).map(([key, value]) => `--set-json=${key}=${JSON.stringify(value)}`);
}

/** What kube-controller-manager asks before it approves of a certificate that a node renews. */
async function nodesRenew(): Promise<boolean> {
  const review = {
    metadata: {},
    spec: {
      user: 'system:node:shop-1',
      groups: ['system:nodes'],
      resourceAttributes: {
        group: 'certificates.k8s.io',
        resource: 'certificatesigningrequests',
        subresource: 'selfnodeclient',
        verb: 'create',
      },
    },
  };
  const { status } = await world.cluster.create(resources.subjectAccessReviews, review, { signal });
  return status?.allowed === true;
}

describe('an installation', () => {
  test('is made, found complete, and leaves nothing', async () => {
    const before = await lookAtCloud(options, world.deps);
    const plan = planCloud(options, before);
    expect(plan.mode).toBe('deployment');
    expect(await allObjects(world.cluster)).toEqual(vanilla);
    expect(await nodesRenew()).toBe(false);
    await convertCloud(world.deps);
    expect(await nodesRenew()).toBe(true);
    const status = await cloudStatus(reading());
    expect(status).toMatchObject({
      kind: 'installed',
      complete: true,
      tunnel: { servers: ['tunnel.example.com:443'] },
    });
    const again = planCloud(options, await lookAtCloud(options, world.deps));
    expect(again.changes).toEqual([]);
    await revertCloud(world.deps);
    await backToVanilla();
  });

  test('tells nodes whom to trust, and the certificate is for what they are told', async () => {
    await convertCloud(world.deps);
    const status = await cloudStatus(reading());
    expect(status).toMatchObject({
      tunnel: { ca: expect.stringContaining('BEGIN CERTIFICATE') },
      certificate: { names: ['tunnel.example.com', 'cloud-manager.selvedge-system.svc'] },
    });
    const tunnelServers = [
      { host: 'other.example.com', port: 443 },
      { host: '192.0.2.7', port: 443 },
    ];
    const other = { ...options, tunnelServers };
    await convertCloud(world.deps, other);
    const renewed = await cloudStatus(reading());
    expect(renewed).toMatchObject({
      certificate: { names: ['other.example.com', '192.0.2.7', 'cloud-manager.selvedge-system.svc'] },
    });
    if (status.kind !== 'installed' || renewed.kind !== 'installed') throw new Error('it is not installed');
    // Who trusts it need not be told anew.
    expect({ ...renewed.tunnel, servers: status.tunnel.servers }).toEqual(status.tunnel);
    await revertCloud(world.deps);
    await backToVanilla();
  });

  test('leaves what others have of it as it was', async () => {
    const { cluster } = world;
    const metadata = { name: managerNamespace, labels: { team: 'edge' } };
    await cluster.create(resources.namespaces, { metadata }, { signal });
    const role = {
      metadata: { name: 'selvedge:edge-client', labels: { mine: 'yes' } },
      rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }],
    };
    await cluster.create(resources.clusterRoles, role, { signal, fieldManager: 'ann' });
    const before = await allObjects(cluster);
    const plan = planCloud(options, await lookAtCloud(options, world.deps));
    const taken = plan.parts.flatMap(({ changes }) => changes).find(({ what }) => what.startsWith('change'));
    expect(taken).toMatchObject({
      what: 'change ClusterRole selvedge:edge-client',
      detail: expect.arrayContaining([expect.stringMatching(/taken over.*ann/)]),
    });
    await convertCloud(world.deps);
    await revertCloud(world.deps);
    await expect.poll(() => allObjects(cluster)).toEqual(before);
    await cluster.delete(resources.clusterRoles, { name: role.metadata.name }, { signal });
    await cluster.delete(resources.namespaces, { name: managerNamespace }, { signal });
    await backToVanilla();
  });

  test('leaves the namespace, which it made, where somebody has put something into it', async () => {
    const { cluster } = world;
    const namespace = managerNamespace;
    await convertCloud(world.deps);
    const mine = { metadata: { name: 'pull', namespace }, data: { a: 'Yg==' } };
    await cluster.create(resources.secrets, mine, { signal });
    await revertCloud(world.deps);
    const kept = await cluster.get(resources.secrets, { namespace, name: 'pull' }, { signal });
    expect(kept.data).toEqual(mine.data);
    await cluster.delete(resources.secrets, { namespace, name: 'pull' }, { signal });
    await revertCloud(world.deps);
    await backToVanilla();
  });

  test('is made right after a revert: the old namespace is waited for', async () => {
    await convertCloud(world.deps);
    await revertCloud(world.deps);
    const { promise: waits, resolve: note } = Promise.withResolvers<string>();
    const made = convertCloud({ ...world.deps, progress: { ...silent, note } });
    made.catch((error: unknown) => note(`it failed: ${String(error)}`));
    expect(await waits).toMatch(/waiting until the old Namespace selvedge-system is gone/);
    await endNamespace(world);
    await made;
    expect(await cloudStatus(reading())).toMatchObject({ kind: 'installed', complete: true });
    await revertCloud(world.deps);
    await backToVanilla();
  });

  test('is not taken back over what somebody changed since', async () => {
    const { cluster } = world;
    await convertCloud(world.deps);
    const at = { namespace: 'kube-system', name: 'coredns' };
    const config = await cluster.get(resources.configMaps, at, { signal });
    const text = config.data?.['Corefile'] ?? '';
    const put = async (changed: string): Promise<void> => {
      const now = await cluster.get(resources.configMaps, at, { signal });
      await cluster.replace(resources.configMaps, { ...now, data: { Corefile: changed } }, { signal });
    };
    await put(text.replace('cache 30', 'cache 60'));
    await expect(revertCloud(world.deps)).rejects.toMatchObject({
      code: 'Conflict',
      message: /changed by hand/,
    });
    await put(`${text}# by hand\n`);
    await revertCloud(world.deps);
    expect((await cluster.get(resources.configMaps, at, { signal })).data?.['Corefile']).toBe(
      `${corefile}# by hand\n`,
    );
    await put(corefile);
    await backToVanilla();
  });

  test('keeps definitions and their objects if asked, and knows them again', async () => {
    const { cluster } = world;
    await convertCloud(world.deps);
    await revertCloud(world.deps, true);
    await endNamespace(world);
    const kept = await cluster.get(
      resources.customResourceDefinitions,
      { name: 'edgenodes.selvedge.io' },
      { signal },
    );
    expect(kept.metadata.name).toBe('edgenodes.selvedge.io');
    await convertCloud(world.deps);
    await revertCloud(world.deps);
    await backToVanilla();
  });
});

describe('what was made of the definitions', () => {
  const unitResource = defineResource(edgeUnits);
  const nodeResource = defineResource(edgeNodes);
  const unit = { metadata: { name: 'shop-7' }, spec: {} };
  const edgeNode = { metadata: { name: 'shop-7-a' }, spec: { autonomy: 'forever' } };
  const scope = 'selvedge.io/traffic-scope';
  const held = { key: 'node.kubernetes.io/unreachable', operator: 'Equal', effect: 'NoExecute' };

  /** A pod to which cloud-manager gave a toleration in front of its own. */
  const pod = {
    metadata: { name: 'held', namespace: 'default' },
    spec: {
      containers: [{ name: 'a', image: 'a' }],
      automountServiceAccountToken: false,
      tolerations: [held, { ...held, operator: 'Exists', tolerationSeconds: 300 }],
    },
  };

  test('is taken back before what it is of, while somebody is there to do it', async () => {
    const { cluster, deps } = world;
    await cluster.create(
      resources.serviceAccounts,
      { metadata: { name: 'default', namespace: 'default' } },
      { signal },
    );
    await cluster.create(resources.pods, pod, { signal });
    const scoped = mergePatch({ metadata: { annotations: { [scope]: 'unit' } } });
    await cluster.patch(resources.namespaces, { name: 'default' }, { patch: scoped, signal });
    await convertCloud(deps);
    const finalizers = ['selvedge.io/members'];
    await cluster.create(unitResource, { ...unit, metadata: { ...unit.metadata, finalizers } }, { signal });
    await cluster.create(nodeResource, edgeNode, { signal });
    const hasty = { ...deps, timeouts: { readyMs: 1_000, apiServerMs: 1_000, takenBackMs: 100 } };

    // Nobody lets the members of the unit go.
    await expect(revertCloud(hasty)).rejects.toMatchObject({ code: 'DeadlineExceeded', message: /EdgeUnit/ });
    const left = await cluster.get(unitResource, { name: 'shop-7' }, { signal });
    expect(left).toMatchObject({ spec: { deletionPolicy: 'release' } });
    const released = mergePatch({ metadata: { finalizers: null } });
    await cluster.patch(unitResource, { name: 'shop-7' }, { patch: released, signal });

    // Nobody gives the pod its own tolerations back.
    await expect(revertCloud(hasty)).rejects.toMatchObject({
      code: 'DeadlineExceeded',
      message: /tolerations/,
    });
    const off = await cluster.get(nodeResource, { name: 'shop-7-a' }, { signal });
    expect(off).toMatchObject({ spec: { autonomy: 'off' } });
    await cluster.delete(
      resources.pods,
      { namespace: 'default', name: 'held' },
      { signal, gracePeriodSeconds: 0 },
    );

    await revertCloud(deps);
    const account = { namespace: 'default', name: 'default' };
    await cluster.delete(resources.serviceAccounts, account, { signal });
    // The annotation of a person too: without cloud-manager it means nothing.
    await backToVanilla();
  });
});

describe('helm', () => {
  test('takes the installation over, and then alone takes it away', async () => {
    await convertCloud(world.deps);
    await world.helm('upgrade', '--install', ...release, '--force-conflicts');
    await world.helm('upgrade', ...release, '--set=replicas=3', '--force-conflicts');
    const at = { namespace: managerNamespace, name: 'cloud-manager' };
    expect((await world.cluster.get(resources.deployments, at, { signal })).spec?.replicas).toBe(3);
    await expect(revertCloud(world.deps)).rejects.toMatchObject({ code: 'Conflict', hint: /helm uninstall/ });
    await world.helm('uninstall', 'selvedge', `--namespace=${managerNamespace}`);
    await revertCloud(world.deps);
    await backToVanilla();
  });
});

testInterruptions({ stride: 19, world: () => world });

test('what is seen of a value is not a secret', async () => {
  await convertCloud(world.deps);
  const at = { namespace: managerNamespace, name: 'selvedge-install' };
  const { data } = await world.cluster.get(resources.configMaps, at, { signal });
  expect(isObject(data)).toBe(true);
  expect(JSON.stringify(data)).not.toMatch(/PRIVATE KEY|LS0tLS1CRUdJTiBQUklWQVRF/);
  await revertCloud(world.deps);
  await backToVanilla();
});

testHelmAlone(() => world);
