import type { Manifest } from '../control-plane/objects.ts';
import { imageRefs } from '../images/index.ts';

export const app = 'hello';
export const port = 8080;

/** A web server in four pods, spread over the nodes, and its Service. */
export function helloManifests(nodes: readonly string[]): readonly Manifest[] {
  const labels = { app };
  const container = {
    name: app,
    image: imageRefs.agnhost,
    args: ['netexec', `--http-port=${port}`],
    ports: [{ containerPort: port }],
    readinessProbe: { httpGet: { path: '/healthz', port }, periodSeconds: 2 },
    resources: { requests: { cpu: '10m', memory: '16Mi' } },
  };
  const onNodes = { key: 'kubernetes.io/hostname', operator: 'In', values: [...nodes] };
  const spec = {
    terminationGracePeriodSeconds: 2,
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [onNodes] }],
        },
      },
    },
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: labels },
      },
    ],
    containers: [container],
  };
  const metadata = { name: app, namespace: 'default' };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: { replicas: 4, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: labels, ports: [{ port: 80, targetPort: port }] },
    },
  ];
}
