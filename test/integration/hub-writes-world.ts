import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MetricsRegistry, createMetricsRegistry, createServiceGroup, systemClock } from '@selvedge/kit';
import { recordingLogger, seededRandom } from '@selvedge/kit/testing';
import { type KubeClient, createKubeMetrics, staticCredentials } from '@selvedge/kube';
import { type Core, type HubOptions, createCore } from '../../packages/edge-lite/src/hub/core.ts';
import { decodeBody } from '../../packages/edge-lite/src/hub/bodies/index.ts';
import { createLocalClient } from '../../packages/edge-lite/src/hub/local-client/index.ts';
import type { Caller } from '../../packages/edge-lite/src/hub/request.ts';
import { type Serving, createServing } from '../../packages/edge-lite/src/hub/serving.ts';
import { type HubSource, createHubSource } from '../../packages/edge-lite/src/hub/source/index.ts';
import { createPodTokens } from '../../packages/edge-lite/src/hub/tokens/index.ts';
import { openStore } from '../../packages/edge-lite/src/store/index.ts';
import { waitFor } from '../bed/wait.ts';
import { type ResetProxy, startResetProxy } from '../contract/reset-proxy.ts';
import { type HubCluster, nodeName } from './hub-cluster.ts';

export const nodeCaller: Caller = {
  kind: 'node',
  user: { username: `system:node:${nodeName}`, groups: ['system:nodes', 'system:authenticated'] },
};

/** Of what the hub asks for itself, and of what it is asked by the kubelet: in the audit log. */
export const agents = { hub: 'selvedge-hub-test', kubelet: 'kubelet-test' };

/** One run of what a hub does with requests, without its endpoint. */
export interface HubRun extends Pick<Core, 'replica' | 'upstream'>, Serving {
  readonly metrics: MetricsRegistry;
  readonly log: ReturnType<typeof recordingLogger>;
  /** As the node's kubelet. */
  readonly kubelet: KubeClient;
  readonly source: HubSource;
}

/** The disk of a node and its link. */
export interface HubSite extends AsyncDisposable {
  readonly link: ResetProxy;
  readonly run: HubRun;
  start(): Promise<HubRun>;
  stop(): Promise<void>;
  /** Resolves once the hub knows that the cloud is away, or back. */
  cut(): Promise<void>;
  heal(): Promise<void>;
}

const { signal } = new AbortController();
const noExec = async (): Promise<void> => undefined;

async function open(
  cluster: HubCluster,
  link: ResetProxy,
  folder: string,
): Promise<{ readonly run: HubRun; stop(): Promise<void> }> {
  const metrics = createMetricsRegistry();
  const log = recordingLogger();
  const { certificate, key } = await cluster.issue({
    commonName: `system:node:${nodeName}`,
    organizations: ['system:nodes'],
    usages: ['client'],
  });
  const { ca } = cluster.controlPlane;
  const store = await openStore({
    path: join(folder, 'state.db'),
    sealKeyPath: join(folder, 'seal.key'),
    driver: 'node',
  });
  const options: HubOptions = {
    nodeName,
    servers: [`https://127.0.0.1:${link.port}`],
    version: 'test',
    userAgent: agents.hub,
    port: 0,
    linkLocalAddress: undefined,
    clusterDomain: 'cluster.local',
    clients: [],
    operators: [],
    keepUnusedMs: 3_600_000,
    maxStoreBytes: 64 * 2 ** 20,
    leadsService: false,
    authorityPath: join(folder, 'authority.pem'),
    bundlePath: join(folder, 'bundle.pem'),
  };
  const deps = {
    credentials: staticCredentials({
      certificateAuthority: ca,
      clientCertificate: { certificate, privateKey: key },
    }),
    clusterCa: () => ca,
    store,
    machineAddresses: () => [],
    exec: noExec,
    newUid: () => randomUUID(),
    clock: systemClock,
    random: seededRandom(5),
    log,
    metrics,
    kubeMetrics: createKubeMetrics(metrics),
  };
  const applyViews: Parameters<typeof createServing>[0]['views'] = (_resource, object) => object;
  const core = createCore(options, deps, { applyViews, knownToken: () => false });
  const tokens = createPodTokens({}, { ...deps, ...core, runtime: store.runtime, decodeBody });
  const serving = createServing({ ...deps, ...core, options, self: nodeCaller, tokens, views: applyViews });
  const kubelet = createLocalClient(
    { userAgent: agents.kubelet, caller: nodeCaller },
    { ...deps, metrics: deps.kubeMetrics, handler: serving.handler },
  );
  const source = createHubSource({ nodeName }, { ...deps, ...core, ...serving });
  const services = [core.replica, core.upstream, core.access, ...serving.services, source];
  const group = createServiceGroup({ name: 'hub', services }, { log });
  await group.start(signal);
  const { replica, upstream } = core;
  return {
    run: { replica, upstream, metrics, log, kubelet, source, ...serving },
    async stop() {
      await group.stop();
      await kubelet.close();
      store.close();
    },
  };
}

export async function createHubSite(cluster: HubCluster): Promise<HubSite> {
  const folder = await mkdtemp(join(tmpdir(), 'hub-site-'));
  const link = await startResetProxy(cluster.controlPlane.port);
  let opened: Awaited<ReturnType<typeof open>> | undefined;
  const runOf = (): HubRun => {
    if (opened === undefined) throw new TypeError('not started');
    return opened.run;
  };
  const until = (kind: string): Promise<true> =>
    waitFor({ what: `${kind} hub`, everyMs: 10 }, systemClock, async () =>
      runOf().upstream.connectivity.kind === kind ? true : undefined,
    );
  const stop = async (): Promise<void> => {
    await opened?.stop();
    opened = undefined;
  };
  return {
    link,
    get run() {
      return runOf();
    },
    async start() {
      opened = await open(cluster, link, folder);
      return opened.run;
    },
    stop,
    async cut() {
      link.refuse();
      await until('offline');
    },
    async heal() {
      link.allow();
      await until('online');
    },
    async [Symbol.asyncDispose]() {
      await stop();
      await link[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}
