import { ensureAssets } from '@selvedge/hack/setup';
import { createMetricsRegistry, silentLogger, systemClock, type MetricsRegistry } from '@selvedge/kit';
import { recordingLogger, seededRandom, type RecordedLine } from '@selvedge/kit/testing';
import {
  createKubeClient,
  createKubeMetrics,
  fileCredentials,
  loadKubeconfig,
  staticCredentials,
  type ClientOptions,
  type Credentials,
  type KubeClient,
  type KubeMetrics,
} from '@selvedge/kube';
import {
  createPrivateControlPlane,
  type PrivateControlPlane,
  type PrivateControlPlaneOptions,
} from '../bed/control-plane/private-control-plane.ts';

/** A client of a test with what it says and counts. */
export interface TestClient extends AsyncDisposable {
  readonly client: KubeClient;
  readonly lines: readonly RecordedLine[];
  readonly registry: MetricsRegistry;
  readonly metrics: KubeMetrics;
  readonly log: ReturnType<typeof recordingLogger>;
}

export async function startControlPlane(
  options: Omit<PrivateControlPlaneOptions, 'programs'> = {},
): Promise<PrivateControlPlane> {
  const assets = await ensureAssets({ binaries: ['etcd', 'kube-apiserver'] });
  const programs = { etcd: assets.etcd, apiServer: assets['kube-apiserver'] };
  const controlPlane = createPrivateControlPlane({ ...options, programs }, { clock: systemClock });
  await controlPlane.start(new AbortController().signal);
  return controlPlane;
}

/** A client of the kubeconfig's cluster, in place of whose server another URL may be given. */
export async function connect(kubeconfig: string, options: Partial<ClientOptions> = {}): Promise<TestClient> {
  const access = await loadKubeconfig(kubeconfig);
  const registry = createMetricsRegistry();
  const metrics = createKubeMetrics(registry);
  const log = recordingLogger();
  const deps = { clock: systemClock, random: seededRandom(1), log, metrics };
  const credentials = fileCredentials(access.credentials, deps);
  const client = createKubeClient(
    { servers: [access.server], userAgent: 'selvedge-test', ...options },
    { credentials, ...deps },
  );
  return {
    client,
    registry,
    metrics,
    log,
    lines: log.lines,
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** A client with these credentials, which says and counts nothing. */
export function connectWith(server: string, credentials: Credentials): KubeClient {
  return createKubeClient(
    { servers: [server], userAgent: 'selvedge-test' },
    {
      credentials: staticCredentials(credentials),
      clock: systemClock,
      random: seededRandom(1),
      log: silentLogger,
      metrics: createKubeMetrics(createMetricsRegistry()),
    },
  );
}
