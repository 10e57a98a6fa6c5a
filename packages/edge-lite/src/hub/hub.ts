import { type Service, createServiceGroup } from '@selvedge/kit';
import type { KubeClient } from '@selvedge/kube';
import type { ObjectSource } from '../pods/index.ts';
import { createTokenSource } from '../reports/index.ts';
import { decodeBody } from './bodies/index.ts';
import { createCloudConditionReporter, createCloudConditionView } from './condition/index.ts';
import { type Core, type HubDeps, type HubOptions, createCore } from './core.ts';
import { type Endpoint, createEndpoint } from './endpoint/index.ts';
import type { LocalPods } from './facts/index.ts';
import { createLocalClient } from './local-client/index.ts';
import { createOwnObjects } from './own-objects/index.ts';
import { createPodNeeds } from './pod-needs/index.ts';
import { createRefresher } from './refresher/index.ts';
import type { ApplyViews } from './replica/types.ts';
import type { Caller } from './request.ts';
import { type Serving, createServing } from './serving.ts';
import { createHubSource } from './source/index.ts';
import { hubStatus } from './status.ts';
import { createPodTokens } from './tokens/index.ts';
import { createUnitFollower } from './unit/index.ts';
import { createLastKnown } from './upstream/index.ts';
import { createViews } from './views/index.ts';
import type { View } from './views/types.ts';

export type { HubDeps, HubOptions } from './core.ts';

/** The API server that stays when the cloud goes. As a service: all of it but the API for modules of this process. */
export interface Hub extends Service {
  /** For modules of this process, in the name of the node. Not to be closed before they are stopped. */
  readonly client: KubeClient;
  /** The node's objects as its pod module reads them. */
  readonly source: ObjectSource;
  /** The node's pods by their addresses. */
  readonly pods: Pick<LocalPods, 'at'>;
  /** Resolves once pods, services and the own Node were complete at some time, also in an earlier run. */
  whenSynced(signal: AbortSignal): Promise<void>;
  /** The way to the API servers, given as `open`, is about to end for what it carries now. */
  renewUpstream(): void;
}

const selfOf = (nodeName: string): Caller => ({
  kind: 'node',
  user: { username: `system:node:${nodeName}`, groups: ['system:nodes', 'system:authenticated'] },
});

/** What each part needs of those that are made after it. */
interface Later {
  views: ApplyViews;
  knownToken: (hash: string) => boolean;
}

/** The hub's certificate names the addresses by which pods know the API server. */
function createNames({ facts, unit, pki }: Core): Service {
  const tell = (): void => pki.setClusterIPs(facts.clusterIPs);
  let subscription: Disposable | undefined;
  return {
    name: 'hub names',
    async start() {
      subscription = facts.onClusterIPs(tell);
      tell();
    },
    async stop() {
      subscription?.[Symbol.dispose]();
      facts[Symbol.dispose]();
      unit[Symbol.dispose]();
    },
  };
}

function composeViews(views: readonly View[]): ApplyViews {
  return (resource, object) =>
    views.reduce(
      (shown, view) => (view.resources.has(resource) ? view.apply(resource, shown) : shown),
      object,
    );
}

function createViewsOf(options: HubOptions, deps: HubDeps & Core): readonly View[] {
  const { runtime } = deps.store;
  const upstream = createLastKnown({ ...deps, runtime });
  return [...createViews(options, { ...deps, upstream }), createCloudConditionView(options, deps)];
}

function createEndpointOf(options: HubOptions, deps: HubDeps, parts: Core & Serving): Endpoint {
  const { nodeName, port, linkLocalAddress, version } = options;
  const { facts, trust } = parts;
  return createEndpoint(
    { port, linkLocalAddress },
    {
      ...deps,
      ...parts,
      isLocal: (remoteAddress) => facts.isOwn(remoteAddress),
      relayFor: (remoteAddress) => trust.distrusts(remoteAddress),
      status: () => ({
        ...hubStatus({ ...parts, nodeName, version, state: deps.store.replica }),
        ...deps.statusOfOthers?.(),
      }),
    },
  );
}

/** Does no I/O on the network before its start; what is on disk is there at once. */
export function createHub(options: HubOptions, deps: HubDeps): Hub {
  const { nodeName, userAgent } = options;
  const { log, store } = deps;
  const self = selfOf(nodeName);
  const later: Later = { views: (_resource, object) => object, knownToken: () => false };
  const core = createCore(options, deps, {
    applyViews: (resource, object) => later.views(resource, object),
    knownToken: (hash) => later.knownToken(hash),
  });
  const views = createViewsOf(options, { ...deps, ...core });
  later.views = composeViews(views);
  const tokens = createPodTokens({}, { ...deps, ...core, runtime: store.runtime, decodeBody });
  later.knownToken = (hash) => tokens.knows(hash);
  const serving = createServing({ ...deps, ...core, options, self, tokens, views: later.views });
  const client = createLocalClient(
    { userAgent, caller: self },
    { ...deps, metrics: deps.kubeMetrics, handler: serving.handler },
  );
  const parts = { ...deps, ...core, ...serving, client };
  const source = createHubSource({ nodeName }, parts);
  const own = createOwnObjects({ nodeName, caller: self }, parts);
  const unit = createUnitFollower({ caller: self }, parts);
  const needs = createPodNeeds(
    { nodeName, caller: self },
    { ...parts, kept: tokens, tokens: createTokenSource({ client }) },
  );
  const condition = createCloudConditionReporter({ nodeName }, parts);
  const endpoint = createEndpointOf(options, deps, { ...core, ...serving });
  const { pki, replica, upstream, access, trust } = core;
  const services = [
    createNames(core),
    pki,
    replica,
    trust,
    upstream,
    access,
    createRefresher({ ...deps, replica, views }),
    ...serving.services,
    source,
    own,
    unit,
    needs,
    condition,
    endpoint,
  ];
  const group = createServiceGroup({ name: 'hub', services }, { log });
  return {
    name: group.name,
    client,
    source: source.source,
    pods: core.facts.pods,
    whenSynced: (signal) => source.whenSynced(signal),
    renewUpstream: () => upstream.renew(),
    start: (signal) => group.start(signal),
    stop: () => group.stop(),
  };
}
