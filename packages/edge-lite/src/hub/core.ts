import type { Clock, Logger, MetricsRegistry, Random } from '@selvedge/kit';
import type { OpenBytes } from '@selvedge/kit/net';
import type { CredentialSource, HttpProxy, KubeClient, KubeMetrics } from '@selvedge/kube';
import { createTokenSource } from '../reports/index.ts';
import type { Store } from '../store/index.ts';
import { createAccess } from './access/index.ts';
import type { Access } from './access/types.ts';
import { type Account, type SponsorTokens, createSponsorTokens } from './coverages/index.ts';
import { type Facts, type Trust, createFacts, createTrust } from './facts/index.ts';
import { rebase } from './merge/index.ts';
import { type HubPki, createHubPki } from './pki/index.ts';
import { type RunningReplica, createReplica } from './replica/index.ts';
import type { ApplyViews, ObjectName } from './replica/types.ts';
import type { PodIdentity } from './request.ts';
import { matchesSelection } from './selection/index.ts';
import { type Unit, createUnit } from './unit/index.ts';
import { type Upstream, createUpstream } from './upstream/index.ts';

export interface HubOptions {
  readonly nodeName: string;
  /** `https://host:port`, in the order of preference. */
  readonly servers: readonly [string, ...string[]];
  readonly proxy?: HttpProxy | undefined;
  readonly version: string;
  /** `program/version (os)`. */
  readonly userAgent: string;
  /** Where it listens on the loopback addresses and, for pods, on the link-local one. */
  readonly port: number;
  readonly linkLocalAddress: string | undefined;
  readonly clusterDomain: string;
  /** Certificate clients with credentials of their own. */
  readonly clients: readonly { readonly name: string; readonly kubeconfig: string }[];
  /** Groups of those who may read while the cloud is away. */
  readonly operators: readonly string[];
  /** How long a coverage that nobody reads is kept, in milliseconds online. */
  readonly keepUnusedMs: number;
  /** Of the state file. */
  readonly maxStoreBytes: number;
  /** No service proxy leads pods to the hub: the Service `default/kubernetes` itself shall. */
  readonly leadsService: boolean;
  /** The ConfigMap whose kubeconfig leads kube-proxy's pods, to the hub then; undefined: it is shown as it is. */
  readonly kubeProxyConfigMap?: ObjectName | undefined;
  /** The hub's authorities with their keys, and the bundle that clients trust. */
  readonly authorityPath: string;
  readonly bundlePath: string;
}

export interface HubDeps {
  /** The node's certificate and the cluster's authorities. */
  readonly credentials: CredentialSource;
  /** The cluster's authorities now, PEM. */
  readonly clusterCa: () => string;
  readonly store: Store;
  /** The addresses of the machine's interfaces, now. */
  readonly machineAddresses: () => readonly string[];
  /** Runs a program to its end; rejects if it fails. */
  readonly exec: (argv: readonly [string, ...string[]], signal: AbortSignal) => Promise<void>;
  readonly newUid: () => string;
  /** How API servers are connected, if it is not by TCP or through the proxy. */
  readonly open?: OpenBytes | undefined;
  /** What other modules of this process show in `/selvedge/status`, by their names. */
  readonly statusOfOthers?: (() => Readonly<Record<string, object>>) | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  readonly kubeMetrics: KubeMetrics;
}

/** What everything else of the hub stands on. */
export interface Core {
  readonly pki: HubPki;
  readonly replica: RunningReplica;
  readonly facts: Facts;
  readonly unit: Unit;
  readonly trust: Trust;
  readonly upstream: Upstream;
  readonly sponsorTokens: SponsorTokens;
  /** As the node, straight to the API server. */
  readonly client: KubeClient;
  readonly access: Access;
}

export interface CoreParts {
  readonly applyViews: ApplyViews;
  /** Whether the hub handed out the token with this hash. */
  readonly knownToken: (hash: string) => boolean;
}

function createPki(
  { nodeName, clusterDomain, linkLocalAddress, ...paths }: HubOptions,
  deps: HubDeps,
): HubPki {
  const { authorityPath, bundlePath } = paths;
  return createHubPki({ nodeName, clusterDomain, linkLocalAddress, authorityPath, bundlePath }, deps);
}

/** The pods of this node that use the account. */
function* podsOf(facts: Facts, { namespace, serviceAccount }: Account): Generator<PodIdentity> {
  for (const pod of facts.pods.values()) {
    if (pod.alive && pod.namespace === namespace && pod.serviceAccount === serviceAccount) yield pod;
  }
}

function createServers(
  options: HubOptions,
  deps: HubDeps,
  facts: Facts,
): Pick<Core, 'client' | 'sponsorTokens' | 'upstream'> {
  const { servers, userAgent, proxy, clients } = options;
  const sponsorTokens = createSponsorTokens({
    ...deps,
    documents: deps.store.runtime,
    tokens: createTokenSource({
      client: { createSubresource: (...call) => client.createSubresource(...call) },
    }),
    podsOf: (account) => podsOf(facts, account),
    hasPod: (pod) => facts.hasPod(pod),
  });
  const upstream = createUpstream(
    { servers, userAgent, proxy, open: deps.open, clients },
    {
      ...deps,
      node: deps.credentials,
      sponsorToken: (account, signal) => sponsorTokens.token(account, signal),
    },
  );
  const client = upstream.clientOf({ kind: 'node' });
  return { upstream, client, sponsorTokens };
}

export function createCore(options: HubOptions, deps: HubDeps, parts: CoreParts): Core {
  const { nodeName, clients, operators } = options;
  const { store } = deps;
  const { applyViews, knownToken } = parts;
  const pki = createPki(options, deps);
  const replica = createReplica(
    { maxStoreBytes: options.maxStoreBytes },
    { ...deps, store: store.replica, rebase, applyViews, matchesSelection },
  );
  const facts = createFacts({ nodeName }, { ...deps, replica });
  const unit = createUnit({ nodeName }, { ...deps, replica });
  const trust = createTrust(
    { readsReplica: options.leadsService },
    { ...deps, pods: facts.pods, pki, runtime: store.runtime },
  );
  const servers = createServers(options, deps, facts);
  const access = createAccess(
    { nodeName, clients: clients.map(({ name }) => name), operators },
    {
      ...deps,
      ...servers,
      runtime: store.runtime,
      authorities: deps.clusterCa,
      hasPod: (pod) => facts.hasPod(pod),
      knownToken,
    },
  );
  return { pki, replica, facts, unit, trust, access, ...servers };
}
