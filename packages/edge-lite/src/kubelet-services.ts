import type { Clock, Logger, MetricsRegistry, Random, Service } from '@selvedge/kit';
import type { CredentialSource, KubeClient } from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import type { Config, Paths, PodsConfig } from './config/index.ts';
import { type Identity, createServingCertificate } from './identity/index.ts';
import {
  type KubeletApiOptions,
  type KubeletRoute,
  createKubeletApi,
  logRoutes,
  statsRoutes,
} from './kubelet-api/index.ts';
import type { MachineHost } from './machine-host.ts';
import type { Machine, ObjectSource, Prober } from './pods/index.ts';
import type { Runtime } from './runtime/index.ts';

export interface KubeletServicesOptions {
  readonly config: Config;
  readonly paths: Paths;
  readonly pods: PodsConfig;
  readonly machine: Pick<Machine, 'cgroupVersion'>;
}

export interface KubeletServicesDeps extends Pick<MachineHost, 'machineAddresses' | 'cores' | 'ownUsage'> {
  readonly identity: Pick<Identity, 'credentials' | 'clusterCa'>;
  /** A client straight to the API server. */
  readonly connect: (credentials: CredentialSource) => KubeClient;
  /** Through the hub. */
  readonly client: KubeClient;
  readonly source: ObjectSource;
  readonly runtime: Runtime;
  readonly probes: Prober['counts'];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

/** The kubelet's API of a lite node, in the order of starting. */
export interface KubeletServices {
  readonly services: readonly Service[];
  /** Where it is, or will be, served; undefined while nobody knows. */
  readonly port: () => number | undefined;
  /** What `/selvedge/status` shows of it; JSON. It does not listen before the node has its serving certificate. */
  readonly status: () => object;
}

const served: ReadonlySet<string> = new Set([
  'Hostname',
  'InternalDNS',
  'ExternalDNS',
  'InternalIP',
  'ExternalIP',
]);

/** The names and addresses of the Node, as its object has them: whoever approves the certificate compares with it. */
function namesOf(source: Pick<ObjectSource, 'get'>, nodeName: string): readonly string[] {
  const node = source.get<Node>({ resource: 'nodes', name: nodeName });
  const addresses = node.kind === 'present' ? (node.object.status?.addresses ?? []) : [];
  return addresses.filter(({ type }) => served.has(type)).map(({ address }) => address);
}

/** Source: kubernetes.io "Kubelet Configuration (v1beta1)"; what a lite node has no word for is left out. */
function kubeletConfig({ config, pods }: KubeletServicesOptions): object {
  const { runtime, node } = config;
  return {
    kind: 'KubeletConfiguration',
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    address: pods.kubeletApi.address,
    port: pods.kubeletApi.port,
    serverTLSBootstrap: true,
    rotateCertificates: true,
    authentication: { x509: {}, webhook: { enabled: true, cacheTTL: '2m0s' }, anonymous: { enabled: false } },
    authorization: { mode: 'Webhook', webhook: { cacheAuthorizedTTL: '5m0s', cacheUnauthorizedTTL: '30s' } },
    clusterDomain: pods.clusterDomain,
    clusterDNS: pods.clusterDNS,
    streamingConnectionIdleTimeout: '4h0m0s',
    nodeStatusReportFrequency: '5m0s',
    nodeLeaseDurationSeconds: node.leaseDurationSeconds,
    maxPods: pods.maxPods,
    cgroupDriver: runtime.cgroupDriver,
    cgroupRoot: runtime.cgroupRoot,
    containerRuntimeEndpoint: runtime.endpoint,
    systemReserved: node.reserved,
    enableDebuggingHandlers: true,
    enableSystemLogHandler: false,
    containerLogMaxSize: '10Mi',
    containerLogMaxFiles: 5,
  };
}

/** Logs, statistics and metrics. */
function ownRoutes(
  { config, paths, machine }: KubeletServicesOptions,
  deps: KubeletServicesDeps,
): readonly KubeletRoute[] {
  const { cgroupDriver: driver, cgroupRoot: root } = config.runtime;
  const { cores, clock } = deps;
  const stats = statsRoutes(
    {
      nodeName: config.nodeName,
      driver,
      root,
      cgroupVersion: machine.cgroupVersion,
      podsFolder: paths.pods,
      cores,
      startTimeMs: clock.now(),
    },
    { ...deps, self: deps.ownUsage },
  );
  return [...logRoutes(deps), ...stats];
}

export function createKubeletServices(
  options: KubeletServicesOptions,
  deps: KubeletServicesDeps,
): KubeletServices {
  const { config, paths, pods } = options;
  const { identity, connect, source, machineAddresses } = deps;
  const { nodeName } = config;
  const certificate = createServingCertificate(
    { nodeName, ...paths },
    {
      ...deps,
      connect: () => connect(identity.credentials),
      names: () => namesOf(source, nodeName),
      onNames: (changed) => source.subscribe('nodes', changed),
    },
  );
  const settings: KubeletApiOptions = {
    nodeName,
    ...pods.kubeletApi,
    config: { kubeletconfig: kubeletConfig(options), 'edge-lite': config },
  };
  const server = createKubeletApi(settings, {
    ...deps,
    routes: ownRoutes(options, deps),
    pki: certificate,
    clusterCa: () => identity.clusterCa,
    ownAddresses: machineAddresses,
  });
  const { port } = pods.kubeletApi;
  return {
    services: [certificate, server],
    port: () => server.port ?? (port === 0 ? undefined : port),
    status: () => ({ listens: server.port !== undefined }),
  };
}
