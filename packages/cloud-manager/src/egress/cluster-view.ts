import { createIpRanges, plainHost } from '@selvedge/kit/net';
import type { Indexer, ObjectReader } from '@selvedge/kube';
import type { Endpoint, EndpointSlice, Node, Pod, Service } from '@selvedge/kube/types';
import type { ClusterView, NamedNode, PodHolder, ServiceEndpoint, ServiceView } from './destination.ts';

const addressesOf =
  (wanted: string): Indexer<Node> =>
  ({ status }) => [
    ...new Set(
      (status?.addresses ?? [])
        .filter(({ type }) => type === wanted)
        .map(({ address }) => plainHost(address)),
    ),
  ];

const isPodNetwork = ({ spec, status }: Pod): boolean =>
  spec?.hostNetwork !== true && status?.phase !== 'Succeeded' && status?.phase !== 'Failed';

const serviceLabel = 'kubernetes.io/service-name';

/** What the stores of a view have to be indexed by. */
export const nodeIndexers = { hostname: addressesOf('Hostname'), internalIp: addressesOf('InternalIP') };

export const podIndexers: Readonly<Record<'address', Indexer<Pod>>> = {
  address: (pod) => (isPodNetwork(pod) ? (pod.status?.podIPs ?? []).map(({ ip }) => plainHost(ip)) : []),
};

export const serviceIndexers: Readonly<Record<'clusterIp', Indexer<Service>>> = {
  clusterIp: ({ spec }) => (spec?.clusterIPs ?? []).filter((ip) => ip !== 'None').map(plainHost),
};

export const sliceIndexers: Readonly<Record<'service', Indexer<EndpointSlice>>> = {
  service: ({ metadata }) => {
    const service = metadata.labels?.[serviceLabel];
    return service === undefined ? [] : [`${metadata.namespace}/${service}`];
  },
};

export interface ClusterViewDeps {
  readonly nodes: ObjectReader<Node>;
  readonly pods: ObjectReader<Pod>;
  readonly services: ObjectReader<Service>;
  readonly endpointSlices: ObjectReader<EndpointSlice>;
  readonly isEdge: (node: string) => boolean;
  readonly isConnected: (node: string) => boolean;
}

/** Of a kubelet that does not say otherwise. */
const kubeletPort = 10_250;

function named(node: Node): NamedNode {
  const { metadata, status } = node;
  const [address] = nodeIndexers.internalIp(node);
  return {
    node: metadata.name ?? '',
    kubeletPort: status?.daemonEndpoints?.kubeletEndpoint?.Port || kubeletPort,
    ...(address === undefined ? {} : { address }),
  };
}

function endpointsOf(
  { addresses, conditions, nodeName }: Endpoint,
  port: number,
): readonly ServiceEndpoint[] {
  // Absent conditions: ready is to be taken for true, serving for what ready is.
  const isReady = conditions?.ready ?? true;
  const isServing = conditions?.serving ?? isReady;
  // All addresses of one endpoint are the same backend.
  return addresses
    .slice(0, 1)
    .map((address) => ({ target: { host: plainHost(address), port }, node: nodeName, isReady, isServing }));
}

function endpointsOfSlice(slice: EndpointSlice, portName: string, port: number): readonly ServiceEndpoint[] {
  const found = slice.ports?.find(
    ({ name = '', protocol = 'TCP' }) => name === portName && protocol === 'TCP',
  );
  if (found === undefined || slice.addressType === 'FQDN') return [];
  return (slice.endpoints ?? []).flatMap((endpoint) => endpointsOf(endpoint, found.port ?? port));
}

function serviceView({ metadata, spec }: Service, slices: ObjectReader<EndpointSlice>): ServiceView {
  const name = `${metadata.namespace}/${metadata.name}`;
  return {
    name,
    endpoints(port) {
      const found = spec?.ports?.find((one) => one.port === port && (one.protocol ?? 'TCP') === 'TCP');
      if (found === undefined) return undefined;
      return slices
        .byIndex('service', name)
        .flatMap((slice) => endpointsOfSlice(slice, found.name ?? '', port));
    },
  };
}

/** What the Node says of a pod address on it; what has no Node holds none. */
function holderOf(node: Node | undefined, address: string): readonly PodHolder[] {
  if (node === undefined) return [];
  const ranges = node.spec?.podCIDRs ?? [];
  const isOfNode = ranges.length === 0 ? undefined : createIpRanges(ranges)(address);
  return [{ node: node.metadata.name ?? '', isOfNode }];
}

/** Reads the stores at each question. */
export function createClusterView(deps: ClusterViewDeps): ClusterView {
  const { nodes, pods, services, endpointSlices, isEdge, isConnected } = deps;
  return {
    isEdge,
    isConnected,
    node(name) {
      const node = nodes.get(name);
      return node === undefined ? undefined : named(node);
    },
    nodesByHostname: (hostname) => nodes.byIndex('hostname', hostname).map(named),
    nodesByAddress: (address) => nodes.byIndex('internalIp', address).map(named),
    nodesByPodAddress(address) {
      const names = new Set(pods.byIndex('address', address).map(({ spec }) => spec?.nodeName ?? ''));
      return Array.from(names).flatMap((name) => holderOf(nodes.get(name), address));
    },
    service(clusterIp) {
      const [service] = services.byIndex('clusterIp', clusterIp);
      return service === undefined ? undefined : serviceView(service, endpointSlices);
    },
  };
}
