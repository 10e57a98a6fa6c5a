import {
  type Clock,
  type Logger,
  type MetricsRegistry,
  type Random,
  type Service,
  createServiceGroup,
} from '@selvedge/kit';
import { createIpRanges } from '@selvedge/kit/net';
import { type KubeClient, type KubeMetrics, createDelegatedAccess } from '@selvedge/kube';
import type { TunnelServer } from '@selvedge/tunnel/server';
import type { Caches } from './caches.ts';
import { type Config, nodeDomainOf } from './config/index.ts';
import { type ConnectProxy, createConnectProxy } from './connect-proxy/index.ts';
import { type Drained, drain } from './drain.ts';
import {
  type ClusterCaches,
  type ClusterView,
  type EgressMetrics,
  type Router,
  createClusterCaches,
  createClusterView,
  createDial,
  createEgress,
  createEgressMetrics,
  createRouter,
  openRelayed,
} from './egress/index.ts';
import { type Kubelet, type KubeletProxy, createKubeletProxy, kubeletOf } from './kubelet-proxy/index.ts';
import { present } from './present.ts';
import { type PemFiles, createPemFiles } from './serving/index.ts';
import type { PemOfClients } from './pem-of-clients.ts';
import { type Servers, holdersOf } from './sessions/index.ts';

export interface EdgeAccessDeps {
  readonly config: Config;
  /** Of this server among all. */
  readonly server: string;
  readonly caches: Caches;
  readonly servers: Servers;
  readonly tunnel: TunnelServer;
  readonly pemOfClients: PemOfClients;
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  readonly kubeMetrics: KubeMetrics;
}

/** The ways by which the cloud reaches nodes at the edge. */
export interface EdgeAccess {
  /** The certificates of its listeners. */
  readonly pems: readonly PemFiles[];
  /** To be started before `service`. */
  readonly caches: ClusterCaches;
  /** Its stop drains the tunnel; what is asked for meanwhile, as long as anything is taken, goes through other servers. */
  readonly service: Service;
  /** Once started. */
  readonly ports: Readonly<Record<'egress' | 'kubeletProxy' | 'connectProxy', number | undefined>>;
}

function viewOf({ caches, servers, tunnel }: EdgeAccessDeps, found: ClusterCaches): ClusterView {
  const { edgeNodes, nodes } = caches;
  return createClusterView({
    ...found,
    nodes,
    isEdge: (node) => edgeNodes.get(node) !== undefined || tunnel.reaches(node),
    isConnected: (node) => tunnel.reaches(node) || holdersOf(edgeNodes.get(node), servers).length > 0,
  });
}

interface RouterParts {
  readonly view: ClusterView;
  readonly pem: PemFiles | undefined;
  readonly egressMetrics: EgressMetrics;
}

function routerOf(deps: EdgeAccessDeps, { view, pem, egressMetrics }: RouterParts): Router {
  const { caches, servers, server, clock, config } = deps;
  const serverName = config.egress?.tls?.serverName;
  return createRouter({
    ...deps,
    view,
    metrics: egressMetrics,
    dial: createDial(config.direct, deps),
    holders: (node) =>
      holdersOf(caches.edgeNodes.get(node), servers).filter((holder) => holder.server !== server),
    relay: pem && ((request) => openRelayed(request, { pem: () => pem.current, serverName, clock })),
  });
}

/** The InternalIP of a Node, as it says. */
const addressOf = (deps: EdgeAccessDeps, node: string): string | undefined =>
  deps.caches.nodes.get(node)?.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;

interface Ways {
  readonly view: ClusterView;
  readonly router: Router;
  readonly egressMetrics: EgressMetrics;
}

function kubeletProxyOf(deps: EdgeAccessDeps, { view, router }: Ways): KubeletProxy | undefined {
  const { kubeletProxy } = deps.config;
  if (kubeletProxy === undefined) return undefined;
  const { domain, nodeNetworks } = kubeletProxy;
  const isOfNodes = createIpRanges(nodeNetworks);
  const lookup = (serverName: string): Kubelet =>
    kubeletOf(serverName, { view, domain, isOfNodes, addressOf: (node) => addressOf(deps, node) });
  return createKubeletProxy(kubeletProxy, { ...deps, lookup, router });
}

function connectProxyOf(
  deps: EdgeAccessDeps,
  ways: Ways,
): { readonly pem: PemFiles; readonly proxy: ConnectProxy } | undefined {
  const { connectProxy } = deps.config;
  if (connectProxy === undefined) return undefined;
  const { listen, audiences, limits = {}, ...files } = connectProxy;
  const pem = deps.pemOfClients(files);
  const authorities = (): string => pem.current.clientCa ?? '';
  const access = createDelegatedAccess({ subsystem: 'connect_proxy', audiences }, { ...deps, authorities });
  const domain = nodeDomainOf(deps.config);
  return { pem, proxy: createConnectProxy({ listen, domain, limits }, { ...deps, ...ways, access, pem }) };
}

/** As the config says; undefined: by none of them. */
export function createEdgeAccess(deps: EdgeAccessDeps): EdgeAccess | undefined {
  const { config, tunnel, metrics, clock } = deps;
  if ((config.egress ?? config.kubeletProxy ?? config.connectProxy) === undefined) return undefined;
  const pem = config.egress?.tls === undefined ? undefined : createPemFiles(config.egress.tls, deps);
  const caches = createClusterCaches(deps);
  const view = viewOf(deps, caches);
  const egressMetrics = createEgressMetrics(metrics);
  const router = routerOf(deps, { view, pem, egressMetrics });
  const egress =
    config.egress === undefined
      ? undefined
      : createEgress(config.egress, { ...deps, router, pem, egressMetrics });
  const kubelets = kubeletProxyOf(deps, { view, router, egressMetrics });
  const connects = connectProxyOf(deps, { view, router, egressMetrics });
  const entrances = present<Service & Drained>(egress, kubelets, connects?.proxy);
  const listeners = createServiceGroup({ name: 'edge access listeners', services: entrances }, deps);
  const timeoutMs = config.tunnel.drainSeconds * 1_000;
  return {
    pems: present(pem, connects?.pem),
    caches,
    service: {
      name: 'edge access',
      start: (signal) => listeners.start(signal),
      async stop() {
        const drained = drain(entrances, { timeoutMs }, clock).then(() => listeners.stop());
        await Promise.all([tunnel.drain(), drained]);
      },
    },
    get ports() {
      return {
        egress: egress?.port,
        kubeletProxy: kubelets?.port,
        connectProxy: connects?.proxy.port,
      };
    },
  };
}
