import type { EventRecorder, KubeClient, KubeMetrics } from '@selvedge/kube';
import type { Clock, Logger, MetricsRegistry, Random, Service } from '@selvedge/kit';
import type { Node } from '@selvedge/kube/types';
import type { Config, Paths, PodsConfig } from './config/index.ts';
import {
  type Machine,
  type NodeFacts,
  type ObjectSource,
  type Pods,
  type Prober,
  type ServiceAccountToken,
  type StatusSink,
  type TokenQuery,
  type TokenStore,
  createLogRotator,
  createMounter,
  createPodCgroups,
  createPodModule,
  createProber,
  createVolumeManager,
  removeCgroup,
} from './pods/index.ts';
import { createPodEvents, createTokenSource } from './reports/index.ts';
import type { Runtime } from './runtime/index.ts';
import type { RuntimeKind, RuntimeRepository } from './store/index.ts';

export interface PodServicesOptions {
  readonly config: Config;
  readonly paths: Paths;
  readonly pods: PodsConfig;
  readonly machine: Machine;
}

export interface PodServicesDeps {
  readonly client: KubeClient;
  readonly runtime: Runtime;
  readonly source: ObjectSource;
  readonly sink: StatusSink;
  readonly recorder: EventRecorder;
  readonly documents: RuntimeRepository;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  readonly kubeMetrics: KubeMetrics;
  /** Whether the Node was deleted while this process ran. */
  readonly nodeRemoved: () => boolean;
  /** Ends a process for good. */
  readonly kill: (pid: number) => void;
}

const tokens: RuntimeKind<ServiceAccountToken> = { name: 'token', sealed: true };

const tokenKey = ({ pod, serviceAccount, audiences, expirationSeconds }: TokenQuery): string =>
  [pod.uid, serviceAccount, expirationSeconds, ...audiences.toSorted()].join('/');

/** On disk before it is used: a node that reboots offline has no other way to a token. */
function tokenStore(documents: RuntimeRepository): TokenStore {
  return {
    get: (query) => documents.get(tokens, tokenKey(query)),
    put(query, document) {
      documents.put(tokens, { key: tokenKey(query), document }, { durable: true });
    },
    forget(podUid) {
      for (const { key } of documents.list(tokens)) {
        if (key.startsWith(`${podUid}/`)) documents.delete(tokens, key);
      }
    },
  };
}

function factsOf({ config, paths, pods, machine }: PodServicesOptions): NodeFacts {
  const { cgroupDriver, cgroupRoot } = config.runtime;
  return {
    ...machine,
    nodeName: config.nodeName,
    podLogs: paths.podLogs,
    clusterDNS: pods.clusterDNS,
    clusterDomain: pods.clusterDomain,
    cgroup: { driver: cgroupDriver, root: cgroupRoot, version: machine.cgroupVersion },
    seccompProfiles: paths.seccompProfiles,
  };
}

/** The node's addresses as its Node shows them; none before it is known. */
function nodeAddresses(source: ObjectSource, nodeName: string): readonly string[] {
  const node = source.get<Node>({ resource: 'nodes', name: nodeName });
  const addresses = node.kind === 'present' ? (node.object.status?.addresses ?? []) : [];
  return addresses.filter(({ type }) => type === 'InternalIP').map(({ address }) => address);
}

/** The pod module and what it works with, in the order of starting. */
export function createPodServices(
  options: PodServicesOptions,
  deps: PodServicesDeps,
): {
  readonly services: readonly Service[];
  readonly pods: Pods;
  readonly probes: Pick<Prober, 'counts'>;
} {
  const { config, paths } = options;
  const { client, runtime, source, recorder, documents } = deps;
  const node = factsOf(options);
  const events = createPodEvents({ recorder });
  const allocatable = (): Readonly<Record<string, string>> => {
    const own = source.get<Node>({ resource: 'nodes', name: config.nodeName });
    return own.kind === 'present' ? (own.object.status?.allocatable ?? {}) : {};
  };
  const volumes = createVolumeManager(
    { pods: paths.pods, clusterDomain: node.clusterDomain },
    {
      ...deps,
      objects: source,
      tokens: createTokenSource({ client }),
      tokenStore: tokenStore(documents),
      events,
      allocatable,
      mounter: createMounter(),
    },
  );
  const cgroups = createPodCgroups(
    { ...node.cgroup, hugePageSizes: node.hugePageSizes },
    { ...deps, removeCgroup },
  );
  const prober = createProber({}, { ...deps, events, exec: (call, signal) => runtime.exec(call, signal) });
  const pods = createPodModule(
    { node, maxPods: options.pods.maxPods, containerLogs: paths.containerLogs },
    {
      ...deps,
      events,
      volumes,
      cgroups,
      prober,
      store: documents,
      hostIPs: () => nodeAddresses(source, config.nodeName),
    },
  );
  const logRotator = createLogRotator({}, deps);
  const cgroupService: Service = {
    name: 'cgroups',
    start: (signal) => cgroups.start(signal),
    stop: () => Promise.resolve(),
  };
  const proberService: Service = {
    name: 'prober',
    start: () => Promise.resolve(),
    stop: () => prober.stop(),
  };
  return { services: [cgroupService, volumes, proberService, pods, logRotator], pods, probes: prober };
}
