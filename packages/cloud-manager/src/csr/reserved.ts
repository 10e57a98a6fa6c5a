import { createIpRanges, plainHost } from '@selvedge/kit/net';
import {
  type KubeClient,
  type KubeObject,
  type ObjectReader,
  type Resource,
  defineResource,
  resources,
} from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';

/** Whether no node may have a certificate for that name or address, however it is spelt. */
export type IsReserved = (host: string) => boolean;

/** Source: `networking.k8s.io/v1` ServiceCIDR, since Kubernetes 1.33. */
export interface ServiceCidr extends KubeObject {
  readonly spec?: { readonly cidrs?: readonly string[] };
}

const serviceCidrs: Resource<ServiceCidr> = defineResource<ServiceCidr>({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  namespaced: false,
});

export interface ReservedDeps {
  readonly client: Pick<KubeClient, 'server' | 'listAll'>;
  readonly nodes: ObjectReader<Node>;
}

const role = 'node-role.kubernetes.io/control-plane';
const apiServerSlices = { namespace: 'default', labelSelector: 'kubernetes.io/service-name=kubernetes' };
/** How pods name the API server, beside `.svc`, which no node may have anyway. */
const apiServerNames = ['kubernetes', 'kubernetes.default'];

/** `host:port` without the port; IPv6 without brackets. */
const hostOf = (server: string): string => server.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');

const controlPlaneHosts = (nodes: ObjectReader<Node>): readonly string[] =>
  Array.from(nodes.values())
    .filter(({ metadata }) => metadata.labels?.[role] !== undefined)
    .flatMap(({ status }) => (status?.addresses ?? []).map(({ address }) => address));

/**
 * What is reserved now: the API server as this program reaches it and as the Service `default/kubernetes` does, the Nodes
 * with the role `control-plane`, which NodeRestriction keeps nodes from taking, the networks of ClusterIPs, also of those
 * that no Service has yet, and what is `listed`: names, addresses, networks. Rejects when that cannot be found out.
 */
export function createReserved(
  listed: readonly string[],
  { client, nodes }: ReservedDeps,
): (signal: AbortSignal) => Promise<IsReserved> {
  return async (signal) => {
    const [cidrs, slices] = await Promise.all([
      client.listAll(serviceCidrs, { signal }),
      client.listAll(resources.endpointSlices, { ...apiServerSlices, signal }),
    ]);
    const endpoints = slices.items.flatMap((slice) => slice.endpoints ?? []);
    const hosts = new Set(
      [
        hostOf(client.server),
        ...apiServerNames,
        ...endpoints.flatMap(({ addresses }) => addresses),
        ...controlPlaneHosts(nodes),
        ...listed,
      ].map(plainHost),
    );
    const isInRange = createIpRanges([...cidrs.items.flatMap(({ spec }) => spec?.cidrs ?? []), ...listed]);
    return (host) => hosts.has(plainHost(host)) || isInRange(host);
  };
}
