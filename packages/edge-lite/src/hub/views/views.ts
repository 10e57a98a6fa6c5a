import { type EndpointTruthDeps, createEndpointTruthView } from './endpoint-truth.ts';
import { createKubeProxyConfigView } from './kube-proxy-config.ts';
import { type KubeRootCaDeps, createKubeRootCaView } from './kube-root-ca.ts';
import { createKubernetesEndpointsView, createKubernetesServiceView } from './kubernetes-service.ts';
import type { ObjectName } from '../replica/types.ts';
import { type TrafficScopeDeps, createTrafficScopeView } from './traffic-scope.ts';
import type { View } from './types.ts';

export interface ViewsOptions {
  readonly nodeName: string;
  /** Where the hub listens for pods; without an address the `kubernetes` Service leads to the API servers. */
  readonly linkLocalAddress: string | undefined;
  readonly port: number;
  /** No service proxy leads pods to the hub: the Service itself shall. */
  readonly leadsService: boolean;
  /** The ConfigMap whose kubeconfig leads kube-proxy's pods; undefined: it is shown as it is. */
  readonly kubeProxyConfigMap?: ObjectName | undefined;
}

export type ViewsDeps = EndpointTruthDeps & KubeRootCaDeps & TrafficScopeDeps;

/** In the order in which they are laid over each other. */
export function createViews(options: ViewsOptions, deps: ViewsDeps): readonly View[] {
  const { nodeName, linkLocalAddress, port, leadsService, kubeProxyConfigMap: configMap } = options;
  const hub = linkLocalAddress === undefined ? undefined : { address: linkLocalAddress, port };
  return [
    ...(hub !== undefined && leadsService ? [createKubernetesServiceView(hub)] : []),
    ...(hub === undefined ? [] : [createKubernetesEndpointsView(hub), createKubeRootCaView(deps)]),
    ...(configMap === undefined
      ? []
      : [createKubeProxyConfigView({ configMap, server: `https://127.0.0.1:${port}` })]),
    createEndpointTruthView({ nodeName }, deps),
    createTrafficScopeView({ nodeName }, deps),
  ];
}
