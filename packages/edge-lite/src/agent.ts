import type { Socket } from 'node:net';
import { createHttp2Transport } from '@selvedge/containerd-grpc-types/client';
import {
  type Clock,
  type Logger,
  type MetricsRegistry,
  type Random,
  SelvedgeError,
  type Service,
  createServiceGroup,
} from '@selvedge/kit';
import { type OpenBytes, dialTcp } from '@selvedge/kit/net';
import {
  type CredentialSource,
  type EventRecorder,
  type HttpProxy,
  type KubeClient,
  type KubeMetrics,
  createEventRecorder,
  createKubeClient,
  createKubeMetrics,
} from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import type { Config, HubConfig, Paths, PodsConfig } from './config/index.ts';
import { originating, refusals } from './exit-code.ts';
import { createFarewell } from './farewell.ts';
import { type Hub, createHub } from './hub/index.ts';
import { type Identity, createIdentity } from './identity/index.ts';
import { type KubeletServices, createKubeletServices } from './kubelet-services.ts';
import {
  type NodePresence,
  type NodeRuntime,
  type ShownNode,
  createHostReader,
  createNodePresence,
} from './node/index.ts';
import type { Machine, ObjectSource, Pods } from './pods/index.ts';
import { createPodNetwork } from './pod-network/index.ts';
import { createPodServices } from './pod-services.ts';
import type { MachineHost } from './machine-host.ts';
import { createReadiness } from './readiness.ts';
import { createStatusSink } from './reports/index.ts';
import { type Runtime, createRuntime, readTail } from './runtime/index.ts';
import type { Store } from './store/index.ts';
import type { Systemd } from './systemd.ts';
import type { Tunnel } from './tunnel/index.ts';
import { createTunnelService, throughTunnel } from './tunnel-service.ts';
import { version } from './version.ts';
import { createWatchdog } from './watchdog.ts';

/** What the agent takes from the machine that it runs on. */
export interface AgentHost extends MachineHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  readonly systemd: Systemd;
  readonly store: Store;
  readonly machine: Machine;
  /** Ends a process for good. */
  readonly kill: (pid: number) => void;
  /** Through which the API servers are reached, if it is not directly. */
  readonly proxy: HttpProxy | undefined;
  readonly newUid: () => string;
}

type Connect = (credentials: CredentialSource) => KubeClient;

interface Context extends AgentHost {
  readonly config: Config;
  readonly paths: Paths;
  readonly kubeMetrics: KubeMetrics;
  /** As a node that has joined. */
  readonly connect: Connect;
  readonly connectToJoin: Connect;
  /** How API servers are connected by a node that has joined; undefined: by TCP. */
  readonly open: OpenBytes | undefined;
}

const userAgent = (): string => `edge-lite/${version} (linux)`;

/** The pods of a machine that goes down get their own grace, but not more than this. */
const machineTimeoutMs = 60_000;
const haltGraceSeconds = 30;

/** Containers that end together hold one call each, for their whole grace period. */
const maxConcurrentCalls = 2_000;

/** Something that only has to be closed at the end. */
const closing = (name: string, close: () => Promise<void> | void): Service => ({
  name,
  start: () => Promise.resolve(),
  stop: async () => close(),
});

/** Ends the program for good when the cluster refuses the node, but not for what may go over. */
const joining = (identity: Identity): Service => ({
  name: identity.name,
  start: (signal) => originating('identity', () => identity.start(signal), refusals),
  stop: () => identity.stop(),
});

function identityOf({ config, paths, ...deps }: Context): Identity {
  const { nodeName, server } = config;
  const options = {
    nodeName,
    urls: server.urls,
    caHash: server.caHash,
    tokenFile: server.tokenFile,
    ...paths,
  };
  const { proxy, clock } = deps;
  const timeouts = { dialMs: 10_000, handshakeMs: 10_000 };
  const openTcp = (url: URL, signal: AbortSignal): Promise<Socket> =>
    dialTcp({ url, timeouts, proxy }, clock, signal);
  return createIdentity(options, { ...deps, ...(proxy === undefined ? {} : { openTcp }) });
}

function runtimeOf({ config, ...deps }: Context): { readonly runtime: Runtime; readonly transport: Service } {
  const transport = createHttp2Transport({ endpoint: config.runtime.endpoint, maxConcurrentCalls }, deps);
  const runtime = createRuntime({}, { ...deps, transport, readTail });
  return { runtime, transport: closing('runtime transport', () => transport.close()) };
}

/** The runtime as the Node status shows it. */
function nodeRuntime(runtime: Runtime): NodeRuntime {
  return {
    get health() {
      return runtime.health;
    },
    onHealth: (changed) => runtime.onHealth(changed),
    async images(signal) {
      const images = await runtime.listImages(signal);
      const largestFirst = images.toSorted((a, b) => b.sizeBytes - a.sizeBytes);
      return largestFirst.map(({ digests, tags, sizeBytes }) => ({
        names: [...digests, ...tags].slice(0, 5),
        sizeBytes,
      }));
    },
  };
}

interface NodeParts {
  readonly recorder: Pick<EventRecorder, 'record'>;
  readonly client: KubeClient;
  readonly runtime: Runtime;
  readonly source: ObjectSource;
  readonly pods: PodsConfig;
  readonly kubeletPort: () => number | undefined;
}

const shownNode = (source: ObjectSource, name: string): ShownNode => ({
  get: () => source.get<Node>({ resource: 'nodes', name }),
  subscribe: (changed) => source.subscribe('nodes', changed),
});

function presenceOf(
  { config, paths, ...deps }: Context,
  { client, runtime, source, pods, recorder, kubeletPort }: NodeParts,
): NodePresence {
  const { nodeName, node, modules } = config;
  const domain = modules.tunnel?.domain ?? 'none';
  const dnsName = domain === 'none' ? undefined : `${nodeName}.${domain}`;
  // The kubelet puts the name where the uid belongs, and `kubectl describe node` looks for it there.
  const about = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: nodeName };
  return createNodePresence(
    { nodeName, version, maxPods: pods.maxPods, ...node, ip: node.ip, dnsName },
    {
      ...deps,
      client,
      kubeletPort,
      runtime: nodeRuntime(runtime),
      readHost: createHostReader(paths.state),
      events: { record: (event) => recorder.record(about, event) },
      shown: shownNode(source, nodeName),
    },
  );
}

/** None where another program configures the network of the pods. */
function podNetworkOf(context: Context, pods: PodsConfig, source: ObjectSource): readonly Service[] {
  const { config, paths } = context;
  if (pods.network === undefined) return [];
  const options = { ...pods.network, addresses: paths.podAddresses };
  return [createPodNetwork(options, { ...context, shown: shownNode(source, config.nodeName) })];
}

function hubOf(
  context: Context,
  settings: HubConfig,
  {
    identity,
    statusOfOthers,
  }: {
    readonly identity: Pick<Identity, 'clusterCa' | 'credentials'>;
    readonly statusOfOthers: () => Readonly<Record<string, object>>;
  },
): Hub {
  const { config, paths } = context;
  const { nodeName, server, modules } = config;
  const { port, address, clients, kubeProxyConfigMap, operators, keepUnusedHours, maxStateMiB } = settings;
  return createHub(
    {
      nodeName,
      servers: server.urls as [string, ...string[]],
      proxy: context.proxy,
      version,
      userAgent: userAgent(),
      port,
      linkLocalAddress: address === 'none' ? undefined : address,
      clusterDomain: settings.clusterDomain ?? modules.pods?.clusterDomain ?? 'cluster.local',
      clients,
      kubeProxyConfigMap,
      operators,
      keepUnusedMs: keepUnusedHours * 3_600_000,
      maxStoreBytes: maxStateMiB * 2 ** 20,
      leadsService: modules.pods !== undefined,
      authorityPath: paths.hubAuthorityPath,
      bundlePath: paths.hubBundlePath,
    },
    {
      ...context,
      credentials: identity.credentials,
      clusterCa: () => identity.clusterCa,
      statusOfOthers,
    },
  );
}

/** What a node with pods runs beside the hub, in the order of starting. */
function podServices(
  context: Context,
  { hub, pods, identity }: { readonly hub: Hub; readonly pods: PodsConfig; readonly identity: Identity },
): {
  readonly services: readonly Service[];
  readonly presence: NodePresence;
  readonly engine: Pods;
  readonly kubelet: KubeletServices;
} {
  const { config, store, kubeMetrics } = context;
  const { nodeName } = config;
  const { client, source } = hub;
  const sink = createStatusSink({ nodeName }, { ...context, client, source });
  const recorder = createEventRecorder(
    { component: 'kubelet', host: nodeName },
    { ...context, client, metrics: kubeMetrics },
  );
  const { runtime, transport } = runtimeOf(context);
  const kubelet = createKubeletServices(
    { ...context, pods },
    { ...context, identity, client, source, runtime, probes: () => engine.probes.counts() },
  );
  const parts = { client, runtime, source, pods, recorder, kubeletPort: kubelet.port };
  const presence = presenceOf(context, parts);
  const engine = createPodServices(
    { ...context, pods },
    {
      ...context,
      client,
      runtime,
      source,
      sink,
      recorder,
      documents: store.runtime,
      nodeRemoved: () => presence.removed,
    },
  );
  const network = podNetworkOf(context, pods, source);
  const services = [
    recorder,
    transport,
    runtime,
    sink,
    presence,
    ...network,
    ...engine.services,
    ...kubelet.services,
  ];
  return { services, presence, engine: engine.pods, kubelet };
}

/** Undefined without the module. */
function tunnelOf(
  context: Context,
  deps: {
    readonly hub: Hub;
    readonly identity: Identity;
    readonly kubeletPort?: () => number | undefined;
  },
): Tunnel | undefined {
  const { config, proxy } = context;
  const { tunnel: settings } = config.modules;
  if (settings === undefined) return undefined;
  const tunnel = createTunnelService({ config, settings, proxy }, { ...context, ...deps });
  if (context.open !== undefined) tunnel.onHandover(() => deps.hub.renewUpstream());
  return tunnel;
}

/** `tunnel`: there is none before the modules are made, and none without its module. */
function contextOf(
  config: Config,
  { paths, host, tunnel }: { readonly paths: Paths; readonly host: AgentHost; readonly tunnel: () => Tunnel },
): Context {
  const kubeMetrics = createKubeMetrics(host.metrics);
  const { urls, via } = config.server;
  const servers = urls as [string, ...string[]];
  const open = via === 'tunnel' ? throughTunnel(tunnel) : undefined;
  const { proxy } = host;
  const connectBy =
    (way: OpenBytes | undefined): Connect =>
    (credentials) =>
      createKubeClient(
        { servers, proxy, open: way, userAgent: userAgent() },
        { ...host, credentials, metrics: kubeMetrics },
      );
  const connectToJoin = connectBy(undefined);
  return { ...host, config, paths, kubeMetrics, open, connect: connectBy(open), connectToJoin };
}

/** The whole agent as one service, nothing of it running yet. */
export function createAgent(config: Config, paths: Paths, host: AgentHost): Service {
  const { clock, log, systemd } = host;
  let tunnel: Tunnel | undefined;
  let kubelet: KubeletServices | undefined;
  const theTunnel = (): Tunnel => {
    if (tunnel !== undefined) return tunnel;
    throw new SelvedgeError('there is no tunnel', { code: 'Unavailable' });
  };
  const context = contextOf(config, { paths, host, tunnel: theTunnel });
  const identity = identityOf(context);
  const base = [closing('store', () => host.store.close()), joining(identity)];
  const { hub: settings, pods } = config.modules;
  if (settings === undefined) {
    log.warn('no module is switched on');
    return createServiceGroup({ name: 'edge-lite', services: base }, { log });
  }
  const statusOfOthers = (): Readonly<Record<string, object>> => ({
    ...(tunnel === undefined ? {} : { [tunnel.name]: tunnel.status() }),
    ...(kubelet === undefined ? {} : { kubeletApi: kubelet.status() }),
  });
  const hub = hubOf(context, settings, { identity, statusOfOthers });
  const readiness = createReadiness({ systemd, log, synced: (signal) => hub.whenSynced(signal) });
  const watchdog = createWatchdog({ systemd, clock, log });
  // The tunnel may be the hub's way to the cloud, to the last.
  const begin = (): readonly Service[] => [...base, ...(tunnel === undefined ? [] : [tunnel]), hub];
  if (pods === undefined) {
    tunnel = tunnelOf(context, { hub, identity });
    return createServiceGroup({ name: 'edge-lite', services: [...begin(), readiness, watchdog] }, { log });
  }
  const { services, presence, engine, kubelet: api } = podServices(context, { hub, pods, identity });
  kubelet = api;
  tunnel = tunnelOf(context, { hub, identity, kubeletPort: api.port });
  const onMachineShutdown = [
    (signal: AbortSignal) => presence.announceShutdown(signal),
    (signal: AbortSignal) => engine.halt(haltGraceSeconds, signal),
  ];
  const farewell = createFarewell({ machineTimeoutMs }, { systemd, clock, log, onMachineShutdown });
  return createServiceGroup(
    { name: 'edge-lite', services: [...begin(), ...services, readiness, watchdog, farewell] },
    { log },
  );
}
