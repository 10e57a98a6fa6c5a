import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type MetricsRegistry,
  type Service,
  createMetricsRegistry,
  createServiceGroup,
  systemClock,
} from '@selvedge/kit';
import { recordingLogger, seededRandom } from '@selvedge/kit/testing';
import { type KubeClient, type KubeMetrics, createKubeMetrics, staticCredentials } from '@selvedge/kube';
import type { Pod } from '@selvedge/kube/types';
import { createAccess } from '../../packages/edge-lite/src/hub/access/index.ts';
import {
  type CoveragesOptions,
  createCoverages,
  createSponsorTokens,
} from '../../packages/edge-lite/src/hub/coverages/index.ts';
import type { Coverages } from '../../packages/edge-lite/src/hub/coverages/types.ts';
import { type RunningReplica, createReplica } from '../../packages/edge-lite/src/hub/replica/index.ts';
import type { PodIdentity } from '../../packages/edge-lite/src/hub/request.ts';
import { covers, matchesSelection } from '../../packages/edge-lite/src/hub/selection/index.ts';
import { type HubSource, createHubSource } from '../../packages/edge-lite/src/hub/source/index.ts';
import { type Upstream, createUpstream } from '../../packages/edge-lite/src/hub/upstream/index.ts';
import { createTokenSource } from '../../packages/edge-lite/src/reports/index.ts';
import { type Store, openStore } from '../../packages/edge-lite/src/store/index.ts';
import { type HubCluster, nodeName } from './hub-cluster.ts';

export interface HubNodeOptions extends CoveragesOptions {
  /** Names its requests in the audit log. */
  readonly userAgent: string;
  /** The module of pods runs here. */
  readonly pods?: boolean;
}

/** One run of what reads for a node. */
export interface HubRun {
  readonly store: Store;
  readonly replica: RunningReplica;
  readonly coverages: Coverages;
  readonly source: HubSource;
  readonly upstream: Upstream;
  readonly client: KubeClient;
  readonly metrics: MetricsRegistry;
  readonly kubeMetrics: KubeMetrics;
  readonly log: ReturnType<typeof recordingLogger>;
}

/** The disk of a node, and runs on it. */
export interface HubNode extends AsyncDisposable {
  readonly run: HubRun;
  /** Pods that the hub may ask tokens for. */
  readonly pods: Pod[];
  start(): Promise<HubRun>;
  stop(): Promise<void>;
}

const { signal } = new AbortController();

const identityOf = ({ metadata: { namespace = '', name = '', uid = '' } }: Pod): PodIdentity => ({
  namespace,
  name,
  uid,
});

async function upstreamOf(
  cluster: HubCluster,
  { userAgent }: HubNodeOptions,
  deps: Omit<Parameters<typeof createUpstream>[1], 'node'>,
): Promise<Upstream> {
  const { certificate, key } = await cluster.issue({
    commonName: `system:node:${nodeName}`,
    organizations: ['system:nodes'],
    usages: ['client'],
  });
  const node = staticCredentials({
    certificateAuthority: cluster.controlPlane.ca,
    clientCertificate: { certificate, privateKey: key },
  });
  return createUpstream(
    { servers: [`https://127.0.0.1:${cluster.controlPlane.port}`], userAgent },
    { ...deps, node },
  );
}

interface Opened {
  readonly run: HubRun;
  readonly services: readonly Service[];
}

async function open(
  cluster: HubCluster,
  options: HubNodeOptions,
  { folder, pods }: { readonly folder: string; readonly pods: readonly Pod[] },
): Promise<Opened> {
  const metrics = createMetricsRegistry();
  const kubeMetrics = createKubeMetrics(metrics);
  const log = recordingLogger();
  const shared = { clock: systemClock, random: seededRandom(3), log, metrics, kubeMetrics };
  const path = join(folder, 'state.db');
  const store = await openStore({ path, sealKeyPath: join(folder, 'seal.key'), driver: 'node' });
  const hasPod = ({ uid }: PodIdentity): boolean => pods.some(({ metadata }) => metadata.uid === uid);
  const replica = createReplica(
    {},
    {
      ...shared,
      store: store.replica,
      rebase: (_resource, { current }) => current,
      applyViews: (_resource, object) => object,
      matchesSelection,
    },
  );
  const sponsorTokens = createSponsorTokens({
    ...shared,
    documents: store.runtime,
    tokens: createTokenSource({
      client: { createSubresource: (...call) => client.createSubresource(...call) },
    }),
    podsOf: ({ serviceAccount }) =>
      pods.filter(({ spec }) => spec?.serviceAccountName === serviceAccount).map(identityOf),
    hasPod,
  });
  const sponsorToken = sponsorTokens.token.bind(sponsorTokens);
  const upstream = await upstreamOf(cluster, options, { ...shared, sponsorToken });
  const client = upstream.clientOf({ kind: 'node' });
  const access = createAccess(
    { nodeName, clients: [], operators: [], maxDecisionAgeMs: 500 },
    {
      ...shared,
      client,
      upstream,
      runtime: store.runtime,
      authorities: () => cluster.controlPlane.ca,
      hasPod,
      knownToken: () => false,
      newUid: randomUUID,
    },
  );
  const coverages = createCoverages(options, {
    ...shared,
    replica,
    upstream,
    access,
    covers,
    ready: async () => undefined,
    documents: store.runtime,
    sponsorTokens,
  });
  const source = createHubSource({ nodeName }, { ...shared, replica, coverages, upstream });
  const reading = [replica, access, coverages, ...(options.pods === true ? [source] : [])];
  return {
    run: { store, replica, coverages, source, upstream, client, metrics, kubeMetrics, log },
    services: [...reading, upstream],
  };
}

export async function createHubNode(cluster: HubCluster, options: HubNodeOptions): Promise<HubNode> {
  const folder = await mkdtemp(join(tmpdir(), 'hub-node-'));
  const pods: Pod[] = [];
  let opened: (Opened & { readonly group: Service }) | undefined;
  const stop = async (): Promise<void> => {
    await opened?.group.stop();
    opened?.run.store.close();
    opened = undefined;
  };
  return {
    pods,
    get run() {
      if (opened === undefined) throw new TypeError('not started');
      return opened.run;
    },
    async start() {
      const { run, services } = await open(cluster, options, { folder, pods });
      const group = createServiceGroup({ name: 'hub node', services }, { log: run.log });
      opened = { run, services, group };
      await group.start(signal);
      return run;
    },
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(folder, { recursive: true });
    },
  };
}
