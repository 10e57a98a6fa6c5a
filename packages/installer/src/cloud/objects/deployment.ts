import type { KubeObject } from '@selvedge/kube';
import { chart } from '../gen/sources.ts';
import { configChecksum } from './config.ts';
import { chartObject, partOf, selector } from './metadata.ts';
import { type ChartValues, portsOf } from './values.ts';

/** A field that is left out where there is nothing to say, as the chart's `with` does it. */
function unlessEmpty(name: string, value: object | string | undefined): object {
  const isEmpty =
    value === undefined || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);
  return isEmpty ? {} : { [name]: value };
}

function imageOf({ repository, tag, digest }: ChartValues['image']): string {
  if (digest !== undefined && digest !== '') return `${repository}@${digest}`;
  return `${repository}:${tag === undefined || tag === '' ? chart.appVersion : tag}`;
}

const fromField = (name: string, fieldPath: string): object => ({
  name,
  valueFrom: { fieldRef: { fieldPath } },
});
const probe = (path: string): object => ({ httpGet: { path, port: 'health', scheme: 'HTTPS' } });

function container(values: ChartValues): object {
  return {
    name: 'cloud-manager',
    image: imageOf(values.image),
    imagePullPolicy: values.image.pullPolicy,
    args: ['run', '--config', '/etc/selvedge/config/cloud-manager.yaml'],
    env: [fromField('POD_IP', 'status.podIP'), fromField('POD_NAMESPACE', 'metadata.namespace')],
    ports: portsOf(values.config).map(([name, containerPort]) => ({ name, containerPort })),
    readinessProbe: { ...probe('/readyz'), periodSeconds: 5 },
    livenessProbe: { ...probe('/livez'), initialDelaySeconds: 15, timeoutSeconds: 5 },
    ...unlessEmpty('resources', values.resources),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [
      { name: 'config', mountPath: '/etc/selvedge/config', readOnly: true },
      { name: 'tls', mountPath: '/etc/selvedge/tls', readOnly: true },
      ...(values.extraVolumeMounts ?? []),
    ],
  };
}

const identity = {
  runAsNonRoot: true,
  runAsUser: 65_532,
  runAsGroup: 65_532,
  fsGroup: 65_532,
  seccompProfile: { type: 'RuntimeDefault' },
} as const;

function podSpec(values: ChartValues): object {
  const { drainSeconds = 60 } = values.config.tunnel;
  return {
    serviceAccountName: 'cloud-manager',
    // For streams to end, and for the rest.
    terminationGracePeriodSeconds: drainSeconds + 30,
    ...unlessEmpty('imagePullSecrets', values.imagePullSecrets),
    ...unlessEmpty('nodeSelector', values.nodeSelector),
    ...unlessEmpty('tolerations', values.tolerations),
    ...unlessEmpty('affinity', values.affinity),
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: selector },
      },
    ],
    ...unlessEmpty('priorityClassName', values.priorityClassName),
    securityContext: identity,
    containers: [container(values)],
    volumes: [
      { name: 'config', configMap: { name: 'cloud-manager' } },
      { name: 'tls', secret: { secretName: values.tls.secretName, defaultMode: 0o440 } },
      ...(values.extraVolumes ?? []),
    ],
  };
}

/** charts/selvedge/templates/deployment.yaml. */
export function deployment(values: ChartValues): KubeObject {
  const metadata = {
    labels: { ...selector, ...partOf, ...values.podLabels },
    annotations: { 'checksum/config': configChecksum(values.config), ...values.podAnnotations },
  };
  return chartObject({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    name: 'cloud-manager',
    fields: {
      spec: {
        replicas: values.replicas,
        strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        selector: { matchLabels: selector },
        template: { metadata, spec: podSpec(values) },
      },
    },
  });
}

/** charts/selvedge/templates/disruption-budget.yaml. */
export const disruptionBudget = ({ podDisruptionBudget }: ChartValues): KubeObject =>
  chartObject({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    name: 'cloud-manager',
    fields: {
      spec: {
        maxUnavailable: podDisruptionBudget.maxUnavailable,
        unhealthyPodEvictionPolicy: 'AlwaysAllow',
        selector: { matchLabels: selector },
      },
    },
  });
