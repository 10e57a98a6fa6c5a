import { managerNamespace, webhookConfiguration } from '@selvedge/api';
import type { KubeObject } from '@selvedge/kube';
import { chartObject, selector } from './metadata.ts';
import { type ChartValues, portsOf } from './values.ts';

const service = (
  name: string,
  spec: object,
  annotations: Readonly<Record<string, string>> = {},
): KubeObject =>
  chartObject({
    apiVersion: 'v1',
    kind: 'Service',
    name,
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    fields: { spec },
  });

/** Where nodes at the edge connect. */
function tunnelService({ tunnelService: values }: ChartValues): KubeObject {
  const { type, port, externalTrafficPolicy, loadBalancerClass = '', annotations } = values;
  const spec = {
    type,
    ...(type === 'ClusterIP' ? {} : { externalTrafficPolicy }),
    ...(loadBalancerClass === '' ? {} : { loadBalancerClass }),
    ports: [{ name: 'tunnel', port, targetPort: 'tunnel' }],
    selector,
  };
  return service('cloud-manager-tunnel', spec, annotations);
}

/** Ports of the Service for the cluster, by what listens. */
export const clusterPorts: Readonly<Record<string, number>> = {
  webhook: 443,
  kubelets: 10_250,
  connect: 8_133,
  health: 10_290,
};

function clusterService({ config }: ChartValues): KubeObject {
  const ports = portsOf(config).flatMap(([name]) => {
    const port = clusterPorts[name];
    return port === undefined ? [] : [{ name, port, targetPort: name }];
  });
  return service('cloud-manager', { selector, ports });
}

/** charts/selvedge/templates/services.yaml. */
export const services = (values: ChartValues): readonly KubeObject[] => [
  tunnelService(values),
  clusterService(values),
];

/** The registration of the webhook, unless its certificate is somebody's own: who has that registers it. */
export function registration({ config: { webhook } }: ChartValues): readonly KubeObject[] {
  const { service: at } = webhook?.reach ?? {};
  if (at === undefined || webhook?.certificateFile !== undefined) return [];
  const namespace = at.namespace.replaceAll('$(POD_NAMESPACE)', managerNamespace);
  const reach = { service: { ...at, namespace, port: at.port ?? 443 } };
  return [webhookConfiguration(reach, undefined) as KubeObject];
}
