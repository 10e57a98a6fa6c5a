import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { managerNamespace } from '@selvedge/api';
import { ensureAssets } from '@selvedge/hack/setup';
import { createMetricsRegistry, silentLogger, systemClock } from '@selvedge/kit';
import {
  type KubeClient,
  createKubeClient,
  createKubeMetrics,
  resources,
  staticCredentials,
} from '@selvedge/kube';
import { edgeUnitResource } from '@selvedge/unit-controller';
import {
  type PrivateControlPlane,
  createPrivateControlPlane,
} from '../../bed/control-plane/private-control-plane.ts';
import { type Kubectl, createKubectl } from '../../bed/kubectl.ts';
import { type Audit, openAudit } from './audit.ts';
import { HollowNodes, type HollowNodesOptions } from './hollow-nodes.ts';
import { createHollowWorkloads } from './hollow-workloads.ts';
import { inTurns } from './in-turns.ts';
import { type Manager, prepareManager } from './manager.ts';

export interface ScaleOptions extends HollowNodesOptions {
  /** cloud-manager, up to its own arguments. */
  readonly program: readonly [string, ...string[]];
  /** See `taskset`. Default: all processors. */
  readonly processors?: string | undefined;
  /** For which cloud-manager takes the next; less than that. */
  readonly gracePeriodSeconds: number;
  /** Of the config of cloud-manager. Default: none, as it is shipped. */
  readonly leaderElection?: object | undefined;
  /** Of the node-lifecycle controller. */
  readonly monitorGraceSeconds: number;
}

/** A control plane with many nodes that are none, in units of equal size, and the cloud-manager under measurement. */
export interface ScaleWorld extends AsyncDisposable {
  readonly client: KubeClient;
  readonly manager: Manager;
  /** Another one, which is not started; it takes over from the first. */
  addManager(): Promise<Manager>;
  readonly audit: Audit;
  readonly nodes: HollowNodes;
  readonly units: readonly string[];
  /** So many units more, each in one of ten parts, as its label `example.org/part` says: `0` to `9`. */
  grow(units: number, nodesOfEach: number): Promise<void>;
  /** A unit of its own with one node and no autonomy; resolves with the node. */
  addControl(): Promise<string>;
  /** A pod on each of these nodes that is evicted at once when its node is not Ready. */
  addPods(nodes: readonly string[]): Promise<void>;
}

const { signal } = new AbortController();
const deploy = join(import.meta.dirname, '../../../deploy');
const timeoutMs = 20_000;
const atOnce = 32;
const account = `system:serviceaccount:${managerNamespace}:cloud-manager`;

/** Without these nothing but the life of nodes is controlled: workloads and pods stay as they are written. */
const controllers = [
  'daemonset',
  'deployment',
  'endpoints',
  'endpointslice',
  'endpointslice-mirroring',
  'horizontal-pod-autoscaler',
  'persistentvolume-attach-detach',
  'pod-garbage-collector',
  'replicaset',
  'statefulset',
];

async function clientOf(controlPlane: PrivateControlPlane): Promise<KubeClient> {
  const { certificate, key: privateKey } = await controlPlane.issue({
    commonName: 'hollow-nodes',
    organizations: ['system:masters'],
    usages: ['client'],
  });
  const credentials = {
    certificateAuthority: controlPlane.ca,
    clientCertificate: { certificate, privateKey },
  };
  return createKubeClient(
    { servers: [`https://127.0.0.1:${controlPlane.port}`], userAgent: 'hollow-nodes' },
    {
      credentials: staticCredentials(credentials),
      clock: systemClock,
      random: () => 0.5,
      log: silentLogger,
      metrics: createKubeMetrics(createMetricsRegistry()),
    },
  );
}

/** Our definitions and rights as they are shipped; resolves with a kubeconfig of the account that has the rights. */
async function install(controlPlane: PrivateControlPlane, kubectl: Kubectl): Promise<string> {
  await kubectl(['apply', '--server-side', '--kustomize', join(deploy, 'crds')]);
  await kubectl(['apply', '--server-side', '--filename', join(deploy, 'rbac/selvedge-cloud-manager.yaml')]);
  await kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all']);
  const args = ['create', 'token', 'cloud-manager', '--namespace', managerNamespace, '--duration=12h'];
  const { stdout } = await kubectl(args);
  const data = Buffer.from(controlPlane.ca).toString('base64');
  const server = `https://127.0.0.1:${controlPlane.port}`;
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server, 'certificate-authority-data': data } }],
    users: [{ name: 'u', user: { token: stdout.trim() } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'c',
  });
}

type Parts = Pick<ScaleWorld, 'client' | 'manager' | 'addManager' | 'audit' | 'nodes'>;

function worldOf(
  { client, manager, addManager, audit, nodes }: Parts,
  stack: AsyncDisposableStack,
): ScaleWorld {
  const units: string[] = [];
  return {
    client,
    manager,
    addManager,
    audit,
    nodes,
    units,
    async grow(more, nodesOfEach) {
      const names = Array.from({ length: more }, (_, each) => `unit-${units.length + each}`);
      const membersOf = (unit: string): readonly string[] =>
        Array.from({ length: nodesOfEach }, (_, each) => `${unit}-node-${each}`);
      await nodes.add(names.flatMap(membersOf));
      await inTurns(names, atOnce, async (name, place) => {
        const metadata = { name, labels: { 'example.org/part': String((units.length + place) % 10) } };
        const spec = { members: { names: [...membersOf(name)] }, labels: { 'example.org/ring': 'stable' } };
        await client.create(edgeUnitResource, { metadata, spec }, { signal, timeoutMs });
      });
      units.push(...names);
    },
    async addControl() {
      const name = 'control-node';
      await nodes.add([name]);
      const spec = { members: { names: [name] }, autonomy: 'off' };
      await client.create(edgeUnitResource, { metadata: { name: 'control' }, spec }, { signal, timeoutMs });
      return name;
    },
    async addPods(names) {
      const tolerations = ['not-ready', 'unreachable'].map((taint) => ({
        key: `node.kubernetes.io/${taint}`,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 1,
      }));
      await inTurns(names, atOnce, async (nodeName) => {
        const metadata = { name: nodeName, namespace: 'default' };
        const spec = { nodeName, tolerations, containers: [{ name: 'c', image: 'none' }] };
        await client.create(resources.pods, { metadata, spec }, { signal, timeoutMs });
      });
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

export async function openScaleWorld(options: ScaleOptions): Promise<ScaleWorld> {
  const { monitorGraceSeconds } = options;
  const assets = await ensureAssets({
    binaries: ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'],
  });
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'scale-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const audit = stack.use(await openAudit(folder, account));
  const controlPlane = createPrivateControlPlane(
    {
      programs: { etcd: assets.etcd, apiServer: assets['kube-apiserver'] },
      apiServerFlags: [...audit.flags, '--max-requests-inflight=800', '--max-mutating-requests-inflight=400'],
      controllerManager: {
        program: assets['kube-controller-manager'],
        flags: [
          `--controllers=${controllers.map((name) => `-${name}-controller`).join()}`,
          `--node-monitor-grace-period=${monitorGraceSeconds}s`,
        ],
      },
    },
    { clock: systemClock },
  );
  stack.defer(() => controlPlane.stop());
  await controlPlane.start(signal);
  const kubectl = createKubectl({ program: assets.kubectl, kubeconfig: controlPlane.kubeconfig });
  const kubeconfig = await install(controlPlane, kubectl);
  const client = await clientOf(controlPlane);
  stack.defer(() => client.close());
  const managers = stack.use(new AsyncDisposableStack());
  let count = 0;
  const addManager = async (): Promise<Manager> => {
    count += 1;
    const setup = { ...options, name: `cloud-manager-${count}`, controlPlane, kubeconfig, folder };
    return managers.use(await prepareManager(setup));
  };
  const manager = await addManager();
  const nodes = stack.use(new HollowNodes(options, { client, clock: systemClock }));
  const workloads = createHollowWorkloads({ client, clock: systemClock });
  stack.defer(() => workloads.stop());
  await workloads.start(signal);
  return worldOf({ client, manager, addManager, audit, nodes }, stack.move());
}
