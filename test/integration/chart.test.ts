import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { customResources, managerObjects } from '@selvedge/api';
import { versionOf } from '@selvedge/hack/programs';
import { ensureAssets } from '@selvedge/hack/setup';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { loadConfig } from '../../packages/cloud-manager/src/config/index.ts';
import { type Helm, chartFolder, createHelm } from '../bed/helm.ts';
import { type Kubectl, createKubectl } from '../bed/kubectl.ts';
import { startControlPlane } from './kube-world.ts';

const namespace = 'selvedge-system';
const at = ['selvedge', chartFolder, `--namespace=${namespace}`] as const;

interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly annotations?: object };
  readonly data?: Readonly<Record<string, string>>;
  readonly webhooks?: readonly { readonly clientConfig: { readonly service: object } }[];
  readonly spec?: {
    readonly template?: { readonly spec: PodSpec; readonly metadata: { readonly annotations: object } };
    readonly ports?: readonly { readonly port: number; readonly targetPort: string }[];
  };
}

interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly {
    readonly image: string;
    readonly args: readonly string[];
    readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
    readonly volumeMounts: readonly { readonly mountPath: string }[];
  }[];
}

const stack = new AsyncDisposableStack();
let folder: string;
let helm: Helm;
let kubectl: Kubectl;

beforeAll(async () => {
  const assets = await ensureAssets({ binaries: ['helm', 'kubectl'] });
  folder = await mkdtemp(join(tmpdir(), 'chart-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const controlPlane = await startControlPlane();
  stack.defer(() => controlPlane.stop());
  const { kubeconfig } = controlPlane;
  helm = createHelm({ program: assets.helm, kubeconfig, folder });
  kubectl = createKubectl({ program: assets.kubectl, kubeconfig });
});
afterAll(() => stack.disposeAsync());

const render = async (...args: readonly string[]): Promise<readonly Rendered[]> => {
  const { stdout } = await helm('template', ...at, ...args);
  return parseAllDocuments(stdout).map((each) => each.toJS() as Rendered);
};

const named = (objects: readonly Rendered[], kind: string, name = 'cloud-manager'): Rendered => {
  const found = objects.find((one) => one.kind === kind && one.metadata.name === name);
  if (found === undefined) throw new Error(`the chart has no ${kind} ${name}`);
  return found;
};

const podOf = (objects: readonly Rendered[]): PodSpec => {
  const spec = named(objects, 'Deployment').spec?.template?.spec;
  if (spec === undefined) throw new Error('the Deployment has no pods');
  return spec;
};

describe('what the chart makes', () => {
  let objects: readonly Rendered[];
  let config: Awaited<ReturnType<typeof loadConfig>>;

  beforeAll(async () => {
    objects = await render();
    const file = join(folder, 'config.yaml');
    await writeFile(file, named(objects, 'ConfigMap').data?.['cloud-manager.yaml'] ?? '');
    config = await loadConfig(file, { POD_IP: '10.244.1.9', POD_NAMESPACE: namespace });
  });

  test('is of the version of the program', async () => {
    const version = await versionOf('cloud-manager');
    const chart: unknown = parse(await readFile(join(chartFolder, 'Chart.yaml'), 'utf8'));
    expect(chart).toMatchObject({ version, appVersion: version });
    expect(podOf(objects).containers[0]?.image).toBe(`selvedge.io/cloud-manager:${version}`);
  });

  test('has the rights and resources that are generated, and keeps the resources', () => {
    const all = managerObjects as readonly Rendered[];
    const rights = all.filter(({ kind }) => kind !== 'Namespace');
    const annotations = { 'helm.sh/resource-policy': 'keep' };
    const kept = customResources
      .flatMap((file) => file.objects as readonly Rendered[])
      .map((one) => ({ ...one, metadata: { ...one.metadata, annotations } }));
    for (const one of [...rights, ...kept]) {
      const { name, namespace: where } = one.metadata;
      const found = objects.filter(({ kind, metadata }) => kind === one.kind && metadata.name === name);
      expect(found.filter(({ metadata }) => metadata.namespace === where)).toEqual([one]);
    }
  });

  test('lets each server say where it is itself', () => {
    expect(config.egress?.tls?.advertise).toEqual({ host: '10.244.1.9', port: 8_132 });
    expect(podOf(objects).containers[0]?.args).toContain('/etc/selvedge/config/cloud-manager.yaml');
  });

  test('has a port for each place where it listens, and Services that lead to them', () => {
    const { tunnel, egress, kubeletProxy, connectProxy, webhook, health } = config;
    const one = [egress?.tls, kubeletProxy, connectProxy, webhook, health].map((part) => part?.listen);
    const listening = [...tunnel.listen, ...one].map((listen) => listen?.port);
    const ports = podOf(objects).containers[0]?.ports ?? [];
    expect(new Set(ports.map(({ containerPort }) => containerPort))).toEqual(new Set(listening));
    const services = objects
      .filter(({ kind }) => kind === 'Service')
      .flatMap(({ spec }) => spec?.ports ?? []);
    const targets = services.map(({ targetPort }) => targetPort).toSorted();
    expect(targets).toEqual(['connect', 'health', 'kubelets', 'tunnel', 'webhook']);
  });

  test('has the webhook where API servers are told to find it', () => {
    const { name, port } = config.webhook?.reach.service ?? {};
    const ports = named(objects, 'Service', name).spec?.ports;
    expect(ports).toContainEqual(expect.objectContaining({ port, targetPort: 'webhook' }));
    const { webhooks = [] } = named(objects, 'ValidatingWebhookConfiguration', 'admission.selvedge.io');
    const told = webhooks.map(({ clientConfig }) => clientConfig.service);
    expect(told).toEqual(webhooks.map(() => expect.objectContaining({ namespace, name, port })));
    expect(told.length).toBeGreaterThan(0);
  });

  test('asks at the Service that the config names, wherever it is', async () => {
    const other = await render('--set=config.webhook.reach.service.namespace=front');
    const { webhooks = [] } = named(other, 'ValidatingWebhookConfiguration', 'admission.selvedge.io');
    const told = webhooks.map(({ clientConfig }) => clientConfig.service);
    expect(told).toEqual(webhooks.map(() => expect.objectContaining({ namespace: 'front' })));
  });

  test.each([
    [
      'has files of its own for it',
      '--set=config.webhook.certificateFile=/c,config.webhook.keyFile=/k,config.webhook.caFile=/a',
    ],
    ['has no webhook', '--set=config.webhook=null'],
  ])('registers no webhook for who %s', async (_who, value) => {
    const kinds = (await render(value)).map(({ kind }) => kind);
    expect(kinds).not.toContain('ValidatingWebhookConfiguration');
  });

  test('mounts all files that the config names', () => {
    const mounts = podOf(objects).containers[0]?.volumeMounts.map(({ mountPath }) => mountPath) ?? [];
    const account = '/var/run/secrets/kubernetes.io/serviceaccount';
    for (const [, file = ''] of JSON.stringify(config).matchAll(/"(\/[^"]+)"/g)) {
      expect([...mounts, account].some((mount) => file.startsWith(`${mount}/`))).toBe(true);
    }
  });

  test('follows the config: ports, time to drain, and other pods for another one', async () => {
    const other = await render(
      '--set=config.connectProxy=null,config.health.listen=0.0.0.0:9999,config.tunnel.drainSeconds=300',
    );
    const ports = podOf(other).containers[0]?.ports;
    expect(ports).toContainEqual({ name: 'health', containerPort: 9_999 });
    expect(ports?.map(({ name }) => name)).not.toContain('connect');
    expect(podOf(objects).terminationGracePeriodSeconds).toBe(config.tunnel.drainSeconds + 30);
    expect(podOf(other).terminationGracePeriodSeconds).toBe(330);
    const checksum = (of: readonly Rendered[]): unknown =>
      named(of, 'Deployment').spec?.template?.metadata.annotations;
    expect(checksum(other)).not.toEqual(checksum(objects));
  });

  test.each([
    ['replicas=0', /replicas.*minimum/],
    ['replica=3', /'replica' not allowed/],
    ['config.tunnel.drainSecond=3', /'drainSecond' not allowed/],
    ['config.autonomy.gracePeriodSeconds=4', /gracePeriodSeconds.*minimum/],
    ['image.digest=latest', /digest.*pattern/],
  ])('refuses the value %s', async (value, why) => {
    await expect(render(`--set=${value}`)).rejects.toThrow(why);
  });
});

describe('at a real API server', () => {
  const get = async (...args: readonly string[]): Promise<string> =>
    (await kubectl(['get', '--output=name', '--ignore-not-found', ...args])).stdout.trim();
  const own = [
    'deployment/cloud-manager',
    'configmap/cloud-manager',
    'service/cloud-manager',
    'service/cloud-manager-tunnel',
    'poddisruptionbudget/cloud-manager',
    'serviceaccount/cloud-manager',
    'role/selvedge:cloud-manager',
  ];
  const cluster = [
    'clusterrole/selvedge:cloud-manager',
    'clusterrole/selvedge:edge-client',
    'clusterrole/selvedge:hub',
    'clusterrole/selvedge:unit-apps',
    'clusterrolebinding/selvedge:cloud-manager',
    'clusterrolebinding/selvedge:hub',
    'clusterrolebinding/selvedge:unit-apps',
    'validatingwebhookconfiguration/admission.selvedge.io',
  ];
  const definitions = ['edgenodes', 'edgeunits', 'unitapps'].map((one) => `crd/${one}.selvedge.io`);
  const policies = ['edgenodes', 'edgeunits'].map((one) => `validatingadmissionpolicy/${one}.selvedge.io`);
  const shortName = async (): Promise<string> =>
    (await kubectl(['get', 'crd/edgeunits.selvedge.io', '--output=jsonpath={.spec.names.shortNames}']))
      .stdout;

  /** As an older version was: one resource has another short name. */
  async function olderChart(): Promise<string> {
    const older = join(folder, 'older');
    await cp(chartFolder, older, { recursive: true });
    const file = join(older, 'templates/generated/selvedge.io_edgeunits.yaml');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('- eu\n', '- old\n'));
    return older;
  }

  test('every field is known', async () => {
    const { stdout } = await helm('template', ...at);
    await kubectl(['create', 'namespace', namespace]);
    const args = ['--server-side', '--dry-run=server', '--validate=strict', '--filename=-'];
    await kubectl(['apply', ...args], { input: stdout });
    await kubectl(['delete', 'namespace', namespace, '--wait=false']);
  });

  test('an upgrade brings what is new, resources too', async () => {
    const older = await olderChart();
    const name = 'edge-system';
    await helm('install', 'selvedge', older, `--namespace=${name}`, '--create-namespace');
    expect(await shortName()).toBe('["old"]');
    await helm('upgrade', 'selvedge', chartFolder, `--namespace=${name}`, '--set=replicas=3');
    expect(await shortName()).toBe('["eu"]');
    const replicas = ['deployment/cloud-manager', '--output=jsonpath={.spec.replicas}'];
    expect((await kubectl(['get', `--namespace=${name}`, ...replicas])).stdout).toBe('3');
    await kubectl(['wait', '--for=condition=Established', '--timeout=60s', ...definitions]);
  });

  test('the rights are those of the account in its namespace, whatever that is called', async () => {
    const as = '--as=system:serviceaccount:edge-system:cloud-manager';
    const ask = (...args: readonly string[]): Promise<string> =>
      kubectl(['auth', 'can-i', as, ...args]).then(
        ({ stdout }) => stdout.trim(),
        () => 'no',
      );
    expect(await ask('watch', 'edgeunits')).toBe('yes');
    expect(await ask('update', 'leases', '--namespace=edge-system')).toBe('yes');
    expect(await ask('patch', 'leases', '--namespace=kube-node-lease')).toBe('yes');
    expect(await ask('update', 'leases', '--namespace=default')).toBe('no');
  });

  test('its pods keep the restricted Pod Security Standard', async () => {
    const { stdout } = await kubectl([
      'get',
      'deployment/cloud-manager',
      '--namespace=edge-system',
      '--output=json',
    ]);
    const { spec } = JSON.parse(stdout) as Rendered;
    await kubectl(['create', 'namespace', 'restricted']);
    await kubectl(['label', 'namespace', 'restricted', 'pod-security.kubernetes.io/enforce=restricted']);
    const metadata = { name: 'one', namespace: 'restricted' };
    const input = JSON.stringify({ ...spec?.template, apiVersion: 'v1', kind: 'Pod', metadata });
    const made = await kubectl(['create', '--dry-run=server', '--output=name', '--filename=-'], { input });
    expect(made.stdout).toBe('pod/one\n');
  });

  test('without the release the resources and what was made of them stay, and the next one takes them over', async () => {
    const where = '--namespace=edge-system';
    const unit = { apiVersion: 'selvedge.io/v1alpha1', kind: 'EdgeUnit', metadata: { name: 'shop-7' } };
    await kubectl(['create', '--filename=-'], { input: JSON.stringify({ ...unit, spec: {} }) });
    expect((await get(where, ...own)).split('\n')).toHaveLength(own.length);
    await helm('uninstall', 'selvedge', where);
    expect(await get(where, ...own)).toBe('');
    expect(await get(...cluster)).toBe('');
    expect((await get(...definitions, ...policies)).split('\n')).toHaveLength(5);
    expect(await get('edgeunit')).toBe('edgeunit.selvedge.io/shop-7');
    await helm('install', 'selvedge', chartFolder, where);
    expect((await get(...cluster)).split('\n')).toHaveLength(cluster.length);
  });
});
