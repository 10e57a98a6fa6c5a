import type { Clock, Logger, MetricsRegistry, Random } from '@selvedge/kit';
import { type ReviewClient, createDelegatedAccess } from '@selvedge/kube';
import type { ServingSource } from '@selvedge/kit/serve';
import type { Runtime } from '../runtime/index.ts';
import type { KubeletApiLimits } from './limits.ts';
import { configRoute, healthRoutes, podListRoutes, refusedRoutes } from './pages/index.ts';
import type { PodSource } from './pods.ts';
import { type KubeletServer, createKubeletServer } from './server.ts';
import { streamingRoutes } from './streaming/index.ts';
import type { KubeletRoute } from './types.ts';

export interface KubeletApiOptions {
  readonly nodeName: string;
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
  readonly limits?: Partial<KubeletApiLimits> | undefined;
  /** What `/configz` shows. */
  readonly config: Parameters<typeof configRoute>[0];
}

export interface KubeletApiDeps {
  /** As the node: TokenReviews and SubjectAccessReviews. Through the hub, so that decisions outlive a cut. */
  readonly client: ReviewClient;
  readonly source: PodSource;
  readonly runtime: Pick<
    Runtime,
    'health' | 'observe' | 'observeAll' | 'prepareExec' | 'prepareAttach' | 'preparePortForward'
  >;
  /** Logs, statistics and metrics. */
  readonly routes: readonly KubeletRoute[];
  readonly pki: ServingSource;
  /** The cluster's CA now, PEM. */
  readonly clusterCa: () => string;
  readonly ownAddresses: () => readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

/**
 * What the API server, metrics-server and Prometheus ask a node for. Source: kubernetes.io "Kubelet
 * authentication/authorization"; docs/reference/kubelet-api.md says where it differs from the kubelet's.
 */
export function createKubeletApi(options: KubeletApiOptions, deps: KubeletApiDeps): KubeletServer {
  const log = deps.log.with({ module: 'kubelet API' });
  const access = createDelegatedAccess(
    { subsystem: 'kubelet_api' },
    { ...deps, authorities: deps.clusterCa },
  );
  const routes = [
    ...healthRoutes(deps),
    ...podListRoutes(deps),
    configRoute(options.config),
    ...streamingRoutes(deps),
    ...deps.routes,
    ...refusedRoutes,
  ];
  return createKubeletServer(options, { ...deps, log, access, routes });
}
