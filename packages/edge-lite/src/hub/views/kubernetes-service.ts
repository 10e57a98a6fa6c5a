import type { KubeObject } from '@selvedge/kube';
import type { EndpointPort, EndpointSlice, Endpoints, Service } from '@selvedge/kube/types';
import type { View } from './types.ts';

/** Where pods of this node find the hub. */
export interface HubAddress {
  readonly address: string;
  readonly port: number;
}

const [namespace, name] = ['default', 'kubernetes'];
const serviceLabel = 'kubernetes.io/service-name';

const isKubernetes = ({ metadata }: KubeObject): boolean =>
  metadata.namespace === namespace && metadata.name === name;

const familyOf = (address: string): 'IPv4' | 'IPv6' => (address.includes(':') ? 'IPv6' : 'IPv4');

/** Leads the Service `default/kubernetes` itself to the hub: for nodes without a service proxy. */
export function createKubernetesServiceView({ address, port }: HubAddress): View {
  return {
    name: 'kubernetes-service',
    resources: new Set(['v1/services']),
    apply(_resource, object) {
      const service: Service = object;
      if (!isKubernetes(object) || service.spec === undefined) return object;
      const { ports = [], ...spec } = service.spec;
      const next: Service = {
        ...service,
        spec: {
          ...spec,
          clusterIP: address,
          clusterIPs: [address],
          ipFamilies: [familyOf(address)],
          ipFamilyPolicy: 'SingleStack',
          ports: ports.map((one) => ({ ...one, port, targetPort: port })),
        },
      };
      return next;
    },
  };
}

const named = (ports: readonly EndpointPort[], port: number): EndpointPort => ({
  ...(ports[0] ?? { name: 'https', protocol: 'TCP' }),
  port,
});

/** The API server's own slice leads to the hub, others of the Service to nobody. */
function leadSlice(slice: EndpointSlice, { address, port }: HubAddress): EndpointSlice {
  if (slice.metadata.name !== name) return { ...slice, endpoints: [] };
  // The type of a slice never changes: what cannot hold the address goes on leading to the API servers.
  if (slice.addressType !== familyOf(address)) return slice;
  const endpoints = [
    { addresses: [address], conditions: { ready: true, serving: true, terminating: false } },
  ];
  return { ...slice, endpoints, ports: [named(slice.ports ?? [], port)] };
}

function leadEndpoints(endpoints: Endpoints, { address, port }: HubAddress): Endpoints {
  const ports = (endpoints.subsets?.[0]?.ports ?? []).map((one) => ({ ...one, name: one.name }));
  const [first = { name: 'https', protocol: 'TCP' }] = ports;
  return { ...endpoints, subsets: [{ addresses: [{ ip: address }], ports: [{ ...first, port }] }] };
}

/** Leads the endpoints of `default/kubernetes` to the hub, and to it alone: for nodes with a service proxy, and DNS. */
export function createKubernetesEndpointsView(hub: HubAddress): View {
  return {
    name: 'kubernetes-endpoints',
    resources: new Set(['discovery.k8s.io/v1/endpointslices', 'v1/endpoints']),
    apply(resource, object) {
      if (resource === 'v1/endpoints') return isKubernetes(object) ? leadEndpoints(object, hub) : object;
      const { metadata } = object;
      const isOf = metadata.namespace === namespace && metadata.labels?.[serviceLabel] === name;
      return isOf ? leadSlice(object as EndpointSlice, hub) : object;
    },
  };
}
