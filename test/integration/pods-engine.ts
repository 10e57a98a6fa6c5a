import { join } from 'node:path';
import { createHttp2Transport } from '@selvedge/containerd-grpc-types/client';
import { type Logger, SelvedgeError, createMetricsRegistry, systemClock } from '@selvedge/kit';
import { createKubeMetrics } from '@selvedge/kube';
import {
  type NodeFacts,
  type ObjectSource,
  type PodEvents,
  type Pods,
  type StatusSink,
  createMounter,
  createPodCgroups,
  createPodModule,
  createProber,
  createVolumeManager,
  removeCgroup,
} from '../../packages/edge-lite/src/pods/index.ts';
import { type Runtime, createRuntime, readTail } from '../../packages/edge-lite/src/runtime/index.ts';
import { openStore } from '../../packages/edge-lite/src/store/index.ts';

/** Where an engine works; the next one at the same place takes over. */
export interface EnginePlace {
  /** Of the runtime. */
  readonly endpoint: string;
  /** Below which all cgroups of pods are. */
  readonly cgroup: string;
  /** State, logs and volumes. */
  readonly folder: string;
}

/** What an engine talks to besides the runtime. */
export interface EngineApi {
  readonly source: ObjectSource;
  readonly sink: StatusSink;
  readonly events: PodEvents;
  readonly log: Logger;
}

/** One start of the engine. */
export interface Engine {
  readonly runtime: Runtime;
  readonly pods: Pods;
  stop(): Promise<void>;
}

function factsOf({ cgroup, folder }: EnginePlace): NodeFacts {
  return {
    nodeName: 'node',
    podLogs: join(folder, 'logs'),
    clusterDNS: ['10.96.0.10'],
    clusterDomain: 'cluster.local',
    resolver: { servers: ['192.0.2.53'], searches: [], options: [] },
    cgroup: { driver: 'cgroupfs', root: cgroup, version: 1 },
    memoryCapacityBytes: 8 * 2 ** 30,
    hugePageSizes: [],
    swapAccounting: false,
    seccompProfiles: join(folder, 'seccomp'),
    thermalThrottlePaths: [],
  };
}

/** An engine with everything real but the API. */
export async function startEngine(place: EnginePlace, api: EngineApi): Promise<Engine> {
  const { endpoint, folder } = place;
  const common = { clock: systemClock, random: Math.random, log: api.log };
  const metrics = createMetricsRegistry({});
  const transport = createHttp2Transport({ endpoint }, common);
  const runtime = createRuntime({}, { ...common, transport, readTail });
  const state = { path: join(folder, 'state.db'), sealKeyPath: join(folder, 'seal.key') };
  const store = await openStore({ ...state, driver: 'node' });
  const node = factsOf(place);
  const { source, sink, events } = api;
  const noTokens = () => Promise.reject(new SelvedgeError('no tokens here', { code: 'Unavailable' }));
  const volumes = createVolumeManager(
    { pods: join(folder, 'pods'), clusterDomain: node.clusterDomain },
    {
      ...common,
      objects: source,
      events,
      tokens: { request: noTokens },
      tokenStore: { get: () => undefined, put: () => undefined, forget: () => undefined },
      allocatable: () => ({}),
      mounter: createMounter(),
      metrics,
    },
  );
  const cgroups = createPodCgroups(
    { ...node.cgroup, hugePageSizes: [] },
    { log: api.log, removeCgroup, kill: (pid) => process.kill(pid, 'SIGKILL') },
  );
  const prober = createProber(
    { spreadMs: 0 },
    { ...common, metrics, events, exec: (call, signal) => runtime.exec(call, signal) },
  );
  const pods = createPodModule(
    { node, maxPods: 110, containerLogs: join(folder, 'containers') },
    {
      ...common,
      runtime,
      source,
      sink,
      events,
      volumes,
      cgroups,
      prober,
      metrics,
      store: store.runtime,
      hostIPs: () => ['192.0.2.10'],
      nodeRemoved: () => false,
      kubeMetrics: createKubeMetrics(metrics),
    },
  );
  const { signal } = new AbortController();
  for (const part of [runtime, cgroups, volumes, pods]) await part.start(signal);
  return {
    runtime,
    pods,
    async stop() {
      for (const part of [pods, prober, volumes, runtime]) await part.stop();
      await transport.close();
      store.close();
    },
  };
}
