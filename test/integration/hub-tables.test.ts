import { fc } from '@fast-check/vitest';
import { type KubeClient, type KubeObject, type Resource, defineResource, resources } from '@selvedge/kube';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { printerOf } from '../../packages/edge-lite/src/hub/answers/index.ts';
import type { PrivateControlPlane } from '../bed/control-plane/private-control-plane.ts';
import { connect, startControlPlane, type TestClient } from './kube-world.ts';

const signal = AbortSignal.timeout(120_000);
const samples = { numRuns: 80, seed: 4 };

const time = fc
  .integer({ min: 1, max: 400_000_000 })
  .map((s) => new Date(Date.now() - s * 1_000).toISOString());
const reason = fc.constantFrom(
  '',
  'Error',
  'Completed',
  'CrashLoopBackOff',
  'PodInitializing',
  'ImagePullBackOff',
);
const terminated = fc.record({
  exitCode: fc.constantFrom(0, 0, 1, 137),
  signal: fc.constantFrom(0, 9),
  reason,
  startedAt: fc.constant('2026-01-01T00:00:00Z'),
  finishedAt: time.map((text) => `${text.slice(0, 19)}Z`),
});
const state = fc.oneof(
  fc.record({ waiting: fc.record({ reason }) }),
  fc.record({ running: fc.record({ startedAt: fc.constant('2026-01-01T00:00:00Z') }) }),
  fc.record({ terminated }),
  fc.constant({}),
);
const statusOf = (name: string): fc.Arbitrary<object> =>
  fc.record({
    name: fc.constant(name),
    image: fc.constant('i'),
    imageID: fc.constant(''),
    ready: fc.boolean(),
    started: fc.boolean(),
    restartCount: fc.nat(3),
    state,
    lastState: fc.oneof(fc.constant({}), fc.record({ terminated })),
  });
const truth = fc.constantFrom('True', 'False');
const podStatus = fc.record({
  phase: fc.constantFrom('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'),
  reason: fc.constantFrom('', '', 'Evicted', 'NodeLost'),
  podIPs: fc.constantFrom([], [{ ip: '10.1.2.3' }]),
  conditions: fc
    .tuple(truth, truth, truth, fc.constantFrom('', 'SchedulingGated'))
    .map(([a, b, c, gated]) => [
      { type: 'Initialized', status: a },
      { type: 'Ready', status: b },
      { type: 'example.com/gate', status: c },
      { type: 'PodScheduled', status: 'False', reason: gated },
    ]),
  initContainerStatuses: fc.tuple(statusOf('init'), statusOf('sidecar')).map((all) => [...all]),
  containerStatuses: fc.tuple(statusOf('one'), statusOf('two')).map((all) => [...all]),
});
const podSpec = {
  containers: [
    { name: 'one', image: 'i' },
    { name: 'two', image: 'j' },
  ],
  initContainers: [
    { name: 'init', image: 'i' },
    { name: 'sidecar', image: 'i', restartPolicy: 'Always' },
  ],
  readinessGates: [{ conditionType: 'example.com/gate' }],
  automountServiceAccountToken: false,
};
const template = { metadata: { labels: { app: 'x' } }, spec: { containers: podSpec.containers } };
const selector = { matchLabels: { app: 'x' }, matchExpressions: [{ key: 'b', operator: 'DoesNotExist' }] };
const jobs = defineResource({ apiVersion: 'batch/v1', kind: 'Job', plural: 'jobs', namespaced: true });
const cronJobs = defineResource({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  plural: 'cronjobs',
  namespaced: true,
});

/** What of each kind the server gets; a status is written after the object. */
type Sample = readonly [
  resource: Resource<KubeObject>,
  objects: readonly Readonly<Record<string, unknown>>[],
];

const nodeInfo = {
  kernelVersion: '6.1',
  osImage: 'Debian',
  architecture: 'amd64',
  kubeletVersion: 'v1.36.3',
};
const made: readonly Sample[] = [
  [resources.pods, fc.sample(podStatus, samples).map((status) => ({ spec: podSpec, status }))],
  [
    resources.nodes,
    [
      {},
      {
        metadata: { labels: { 'node-role.kubernetes.io/edge': '', 'kubernetes.io/role': 'shop' } },
        spec: { unschedulable: true },
        status: {
          conditions: [{ type: 'Ready', status: 'Unknown' }],
          addresses: [{ type: 'InternalIP', address: '10.0.0.7' }],
          nodeInfo,
        },
      },
    ],
  ],
  [
    resources.services,
    [
      {
        spec: {
          ports: [{ port: 80 }, { name: 'b', port: 81, protocol: 'UDP' }].slice(0, 1),
          selector: { a: 'b', c: 'd' },
        },
      },
      { spec: { type: 'NodePort', ports: [{ port: 80 }], externalIPs: ['192.0.2.7'] } },
      { spec: { type: 'ExternalName', externalName: 'a.example.com' } },
      { spec: { type: 'LoadBalancer', ports: [{ port: 80 }] } },
      {
        spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
        status: { loadBalancer: { ingress: [{ ip: '192.0.2.9' }, { hostname: 'a.example.com' }] } },
      },
      { spec: { clusterIP: 'None' } },
    ],
  ],
  [
    resources.endpointSlices,
    [
      { addressType: 'IPv4', endpoints: [] },
      {
        addressType: 'IPv4',
        endpoints: ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'].map((ip) => ({ addresses: [ip] })),
        ports: [{ name: 'a', port: 80 }, { name: 'b' }],
      },
    ],
  ],
  [
    defineResource({ apiVersion: 'v1', kind: 'Endpoints', plural: 'endpoints', namespaced: true }),
    [
      {},
      { subsets: [{ addresses: ['10.0.0.1', '10.0.0.2'].map((ip) => ({ ip })), ports: [] }] },
      {
        subsets: [
          {
            addresses: ['10.0.0.1', '10.0.0.2'].map((ip) => ({ ip })),
            ports: [80, 81].map((port) => ({ name: `p${port}`, port })),
          },
          { addresses: [{ ip: 'fd00::1' }], ports: [{ port: 80 }] },
        ],
      },
      { subsets: [{ notReadyAddresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }] },
    ],
  ],
  [resources.configMaps, [{}, { data: { a: 'b' }, binaryData: { c: 'AA==' } }]],
  [resources.secrets, [{}, { type: 'example.com/x', data: { a: 'AA==' } }]],
  [resources.leases, [{ spec: {} }, { spec: { holderIdentity: 'me' } }]],
  [
    resources.events,
    [
      {
        involvedObject: { kind: 'Pod', name: 'a', fieldPath: 'spec' },
        message: ' x ',
        reason: 'R',
        type: 'Normal',
      },
      {
        involvedObject: { kind: 'Pod', name: 'a' },
        firstTimestamp: '2026-01-01T00:00:00Z',
        lastTimestamp: '2026-02-01T00:00:00Z',
        count: 4,
        source: { component: 'kubelet', host: 'shop-7' },
      },
    ],
  ],
  [
    resources.deployments,
    [
      {
        spec: { replicas: 3, template, selector },
        status: { replicas: 2, readyReplicas: 1, updatedReplicas: 2 },
      },
    ],
  ],
  [
    resources.replicaSets,
    [{ spec: { replicas: 3, template, selector }, status: { replicas: 2, readyReplicas: 1 } }],
  ],
  [
    resources.daemonSets,
    [
      {
        spec: { template: { ...template, spec: { ...template.spec, nodeSelector: { a: 'b' } } }, selector },
        status: {
          currentNumberScheduled: 1,
          desiredNumberScheduled: 2,
          numberMisscheduled: 0,
          numberReady: 1,
        },
      },
    ],
  ],
  [
    defineResource({ apiVersion: 'apps/v1', kind: 'StatefulSet', plural: 'statefulsets', namespaced: true }),
    [{ spec: { serviceName: 's', template, selector }, status: { replicas: 1, readyReplicas: 1 } }],
  ],
  [
    jobs,
    [
      { spec: { template: { spec: { containers: podSpec.containers, restartPolicy: 'Never' } } } },
      {
        spec: {
          completions: 3,
          parallelism: 2,
          suspend: true,
          template: { spec: { containers: podSpec.containers, restartPolicy: 'Never' } },
        },
        status: { conditions: [{ type: 'Suspended', status: 'True' }], succeeded: 0 },
      },
    ],
  ],
  [
    cronJobs,
    [
      {
        spec: {
          schedule: '* * * * *',
          timeZone: 'Etc/UTC',
          jobTemplate: {
            spec: { template: { spec: { containers: podSpec.containers, restartPolicy: 'Never' } } },
          },
        },
      },
    ],
  ],
  [resources.namespaces, [{}]],
];

const cases = made.map((sample) => ({ plural: sample[0].plural, sample }));

interface Table {
  readonly columnDefinitions: readonly {
    readonly name: string;
    readonly type: string;
    readonly priority: number;
  }[];
  readonly rows: readonly { readonly cells: readonly unknown[]; readonly object: KubeObject }[];
}

async function makeAll(admin: KubeClient, namespace: string, [resource, objects]: Sample): Promise<void> {
  const where = resource.namespaced ? { namespace } : {};
  for (const [at, { metadata = {}, status, ...rest }] of objects.entries()) {
    const named = { ...(metadata as object), ...where, name: `table-${resource.plural}-${at}` };
    const { involvedObject } = rest;
    const about = involvedObject === undefined ? {} : { involvedObject: { ...involvedObject, namespace } };
    const whole = { metadata: named, ...rest, ...about };
    const object = await admin.create<KubeObject>(resource, whole, { signal });
    if (status === undefined) continue;
    const withStatus = { ...object, status } as KubeObject;
    await admin.replace(resource, withStatus, { signal, subresource: 'status' });
  }
}

describe('tables against those of a real API server', () => {
  let controlPlane: PrivateControlPlane;
  let direct: TestClient;
  let namespace: string;

  beforeAll(async () => {
    controlPlane = await startControlPlane();
    direct = await connect(controlPlane.kubeconfig);
    const object = await direct.client.create(
      resources.namespaces,
      { metadata: { generateName: 'tables-' } },
      { signal },
    );
    namespace = object.metadata.name ?? '';
  });
  afterAll(async () => {
    await direct?.[Symbol.asyncDispose]();
    await controlPlane?.stop();
  });

  it.each(cases)('$plural', async ({ sample }) => {
    const [resource] = sample;
    await makeAll(direct.client, namespace, sample);
    const prefix = resource.apiVersion.includes('/') ? '/apis' : '/api';
    const inNamespace = resource.namespaced ? `/namespaces/${namespace}` : '';
    const path = `${prefix}/${resource.apiVersion}${inNamespace}/${resource.plural}?includeObject=Object`;
    const accept = 'application/json;as=Table;g=meta.k8s.io;v=v1';
    const answer = await direct.client.raw({ method: 'GET', path, accept, signal });
    const table = JSON.parse(answer.body.toString('utf8')) as Table;
    const printer = printerOf(`${resource.apiVersion}/${resource.plural}`, () => undefined);
    const shape = ({ name, type, priority }: Table['columnDefinitions'][number]): string =>
      `${name} ${type} ${priority}`;
    expect(printer.columns.map(shape)).toEqual(table.columnDefinitions.map(shape));
    expect(table.rows.length).toBeGreaterThan(0);
    const now = Date.now();
    const near = [now, now - 1_000].map((at) => table.rows.map(({ object }) => printer.cells(object, at)));
    for (const [at, { cells }] of table.rows.entries()) {
      expect(near.map((rows) => rows[at])).toContainEqual(cells);
    }
  });
});
