import { join } from 'node:path';
import { type Bed, imageRefs } from '@selvedge/bed';
import { ensureAssets, run } from '@selvedge/hack/setup';
import { type Manifest, apply, deploy, fromMachine } from './cloud-clients.ts';

const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' } as const;
const metricsServer = 'metrics-server';

function bind(name: string, role: { kind: string; name: string }, namespace?: string): Manifest {
  const subject = { kind: 'ServiceAccount', name: metricsServer, namespace: 'kube-system' };
  return {
    ...rbac,
    kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', ...role },
    subjects: [subject],
  };
}

/** What metrics-server's own `components.yaml` makes besides the Deployment. Source: metrics-server 0.9.0, `manifests/base`. */
const metricsServerObjects: readonly Manifest[] = [
  {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: metricsServer, namespace: 'kube-system' },
  },
  {
    ...rbac,
    kind: 'ClusterRole',
    metadata: { name: 'system:metrics-server' },
    rules: [
      { apiGroups: [''], resources: ['nodes/metrics'], verbs: ['get'] },
      { apiGroups: [''], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] },
    ],
  },
  bind('system:metrics-server', { kind: 'ClusterRole', name: 'system:metrics-server' }),
  bind('metrics-server:system:auth-delegator', { kind: 'ClusterRole', name: 'system:auth-delegator' }),
  bind(
    'metrics-server-auth-reader',
    { kind: 'Role', name: 'extension-apiserver-authentication-reader' },
    'kube-system',
  ),
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: metricsServer, namespace: 'kube-system' },
    spec: { selector: { 'k8s-app': metricsServer }, ports: [{ port: 443, targetPort: 10_250 }] },
  },
  {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'v1beta1.metrics.k8s.io' },
    spec: {
      service: { name: metricsServer, namespace: 'kube-system' },
      group: 'metrics.k8s.io',
      version: 'v1beta1',
      insecureSkipTLSVerify: true,
      groupPriorityMinimum: 100,
      versionPriority: 100,
    },
  },
];

function metricsServerDeployment(program: string, node: string): Manifest {
  const { volume, mount } = fromMachine(program);
  const labels = { 'k8s-app': metricsServer };
  const container = {
    name: metricsServer,
    image: imageRefs.busybox,
    command: ['/program'],
    // Those of components.yaml; the patch replaces them.
    args: ['--cert-dir=/tmp', '--secure-port=10250', '--kubelet-preferred-address-types=InternalIP'],
    readinessProbe: { httpGet: { path: '/readyz', port: 10_250, scheme: 'HTTPS' }, periodSeconds: 1 },
    volumeMounts: [mount],
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: metricsServer, namespace: 'kube-system' },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName: metricsServer,
          nodeName: node,
          volumes: [volume],
          containers: [container],
        },
      },
    },
  };
}

/** Runs metrics-server 0.9.0 on a node in the cloud, with our patch of its Deployment. */
export async function startMetricsServer(bed: Bed, node: string): Promise<void> {
  const { [metricsServer]: program, kubectl } = await ensureAssets({
    binaries: [metricsServer, 'kubectl'],
  });
  const patch = `--patch-file=${join(deploy, 'metrics-server/patch.yaml')}`;
  const { stdout } = await run({
    argv: [kubectl, 'patch', '--local', '--filename=-', patch, '--output=json'],
    input: JSON.stringify(metricsServerDeployment(program, node)),
  });
  await apply(bed, [...metricsServerObjects, JSON.parse(stdout) as Manifest]);
}
