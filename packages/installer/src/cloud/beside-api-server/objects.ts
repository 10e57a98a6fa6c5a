import { webhookConfiguration } from '@selvedge/api';
import type { KubeObject } from '@selvedge/kube';
import { type CloudObjects, unitObjects } from '../objects/cloud.ts';
import { ownObject } from '../objects/metadata.ts';
import { clusterPorts } from '../objects/services.ts';
import { unitPorts } from './config.ts';

export const tokenSecret = 'cloud-manager-token';

/** One that lasts: a token of a bound kind would have to be renewed on each machine. Source: kubernetes.io "Manually create a long-lived API token for a ServiceAccount". */
const token = ownObject({
  apiVersion: 'v1',
  kind: 'Secret',
  name: tokenSecret,
  annotations: { 'kubernetes.io/service-account.name': 'cloud-manager' },
  fields: { type: 'kubernetes.io/service-account-token' },
});

/** Where the cluster finds kubelets by name. No selector finds machines: they are named. */
const kubelets = (addresses: readonly string[]): readonly KubeObject[] => [
  ownObject({
    apiVersion: 'v1',
    kind: 'Service',
    name: 'cloud-manager',
    fields: { spec: { ports: [{ name: 'kubelets', port: clusterPorts['kubelets'] }] } },
  }),
  ...(['IPv4', 'IPv6'] as const).flatMap((addressType) => {
    const own = addresses.filter((address) => address.includes(':') === (addressType === 'IPv6'));
    if (own.length === 0) return [];
    return ownObject({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      name: `cloud-manager-${addressType.toLowerCase()}`,
      labels: { 'kubernetes.io/service-name': 'cloud-manager' },
      fields: {
        addressType,
        ports: [{ name: 'kubelets', port: unitPorts.kubelets }],
        endpoints: own.map((address) => ({ addresses: [address] })),
      },
    });
  }),
];

/** What a cloud-manager beside each of these API servers has in the cluster. Pure. */
export function objectsBeside(addresses: readonly string[]): CloudObjects {
  const reach = { url: `https://127.0.0.1:${unitPorts.webhook}` };
  return unitObjects([token, ...kubelets(addresses)], [webhookConfiguration(reach, undefined) as KubeObject]);
}
