import {
  type Clock,
  type Counter,
  type Logger,
  type MetricsRegistry,
  SelvedgeError,
  type Service,
  isAbort,
} from '@selvedge/kit';
import { type Places, bearerTokenOf, createPlaces } from '@selvedge/kit/serve';
import type { DelegatedAccess, UserInfo } from '@selvedge/kube';
import { parseTarget } from '@selvedge/tunnel';
import type { ConnectProxyConfig } from '../config/index.ts';
import {
  type ClusterView,
  type ConnectLimits,
  type ConnectListener,
  type EgressMetrics,
  type Opened,
  type Opening,
  type Router,
  type Shown,
  type StreamLimits,
  createOpenListener,
  defaultConnectLimits,
  defaultStreamLimits,
  serveConnect,
} from '../egress/index.ts';
import type { Drained } from '../drain.ts';
import { type Authenticate, type PemFiles, createAuthenticate } from '../serving/index.ts';
import { type EdgeTarget, edgeTargetOf } from './edge-target.ts';

/** See docs/limits.md. */
export interface ConnectProxyLimits extends ConnectLimits, StreamLimits {
  /** Default 5,000. */
  readonly streams: number;
  /** Of one user. Default 500. */
  readonly streamsPerClient: number;
  /** Requests whose sender or right is being asked for, in all and from one address. Default 200 and 50. */
  readonly reviews: number;
  readonly reviewsPerAddress: number;
}

export interface ConnectProxyOptions extends Pick<ConnectProxyConfig, 'listen'> {
  /** Names of nodes may end so. */
  readonly domain: string;
  readonly limits?: Partial<ConnectProxyLimits>;
}

export interface ConnectProxyDeps {
  readonly access: Pick<DelegatedAccess, 'authenticate' | 'authorize' | 'isAccepted'>;
  readonly view: ClusterView;
  readonly router: Pick<Router, 'openNode'>;
  readonly pem: PemFiles;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  readonly egressMetrics: EgressMetrics;
}

/** A proxy for clients in the cluster. */
export interface ConnectProxy extends Service, Drained {
  /** Once started. */
  readonly port: number;
  /** That are open, or being opened. */
  readonly streams: number;
}

const defaultLimits: ConnectProxyLimits = {
  ...defaultConnectLimits,
  ...defaultStreamLimits,
  streams: 5_000,
  streamsPerClient: 500,
  reviews: 200,
  reviewsPerAddress: 50,
};

const outcomes = new Map([
  ['Unauthenticated', 'unauthenticated'],
  ['Forbidden', 'forbidden'],
  ['Invalid', 'invalid'],
  ['ResourceExhausted', 'limited'],
]);

const outcomeOf = (error: unknown): string =>
  (error instanceof SelvedgeError ? outcomes.get(error.code) : undefined) ?? 'failed';

class Connects {
  readonly #options: ConnectProxyOptions;
  readonly #deps: ConnectProxyDeps;
  readonly #outcomes: Counter;
  readonly #reviews: Places;
  readonly #authenticate: Authenticate;
  readonly #limits: ConnectProxyLimits;
  readonly places: Places;

  constructor(options: ConnectProxyOptions, limits: ConnectProxyLimits, deps: ConnectProxyDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#limits = limits;
    this.#authenticate = createAuthenticate(deps);
    const { streams, streamsPerClient, reviews, reviewsPerAddress } = limits;
    this.places = createPlaces({ what: 'streams', total: streams, perClient: streamsPerClient });
    this.#reviews = createPlaces({ what: 'reviews', total: reviews, perClient: reviewsPerAddress });
    this.#outcomes = deps.metrics.counter({
      name: 'selvedge_connect_proxy_requests_total',
      help: 'Streams that clients in the cluster asked for, by outcome.',
    });
    deps.metrics.sampled(
      { name: 'selvedge_connect_proxy_streams', help: 'Streams that are open, or being opened.' },
      () => this.places.taken,
    );
  }

  serve(request: Opening<Shown>['request'], signal: AbortSignal): Promise<void> {
    const { log, egressMetrics: metrics } = this.#deps;
    const open = (opening: Opening<Shown>): Promise<Opened> => this.#counted(opening);
    return serveConnect(request, { open, limits: this.#limits, log, metrics }, signal);
  }

  async #counted(opening: Opening<Shown>): Promise<Opened> {
    try {
      const opened = await this.#open(opening);
      this.#outcomes.add({ outcome: 'opened' });
      return opened;
    } catch (error) {
      if (!isAbort(error)) this.#outcomes.add({ outcome: outcomeOf(error) });
      throw error;
    }
  }

  async #open({ request, held, signal }: Opening<Shown>): Promise<Opened> {
    const { user, edge } = await this.#admit(request, signal);
    held.use(this.places.take(user.username));
    return this.#deps.router.openNode(edge.node, edge.target, signal);
  }

  /** Who asks, and for what; he may. */
  async #admit(
    { client, authority, headers, socket }: Opening<Shown>['request'],
    signal: AbortSignal,
  ): Promise<{ readonly user: UserInfo; readonly edge: EdgeTarget }> {
    const { remoteAddress = '' } = socket;
    using reviewing = this.#reviews.take(remoteAddress);
    const bearerToken = bearerTokenOf(headers, 'proxy-authorization');
    const user = await this.#authenticate({ ...client, remoteAddress, bearerToken }, signal);
    const target = parseTarget(authority);
    if (target === undefined) throw new SelvedgeError(`${authority} is not host:port`, { code: 'Invalid' });
    const edge = edgeTargetOf(target, { view: this.#deps.view, domain: this.#options.domain });
    await this.#authorize(user, edge, signal);
    return { user, edge };
  }

  async #authorize(user: UserInfo, { node }: EdgeTarget, signal: AbortSignal): Promise<void> {
    const attributes = {
      kind: 'resource',
      verb: 'connect',
      group: '',
      version: 'v1',
      resource: 'nodes',
      subresource: 'proxy',
      namespace: '',
      name: node,
      labelSelector: '',
      fieldSelector: '',
    } as const;
    const { allowed, reason } = await this.#deps.access.authorize({ user, attributes }, signal);
    if (allowed) return;
    const why = reason === '' ? '' : `: ${reason}`;
    const message = `${user.username} may not connect nodes/proxy of ${node}${why}`;
    throw new SelvedgeError(message, { code: 'Forbidden' });
  }
}

/**
 * `CONNECT` for clients in the cluster: who shows a certificate of the cluster's CA or a bearer token in
 * `Proxy-Authorization`, and may `connect` `nodes/proxy` of the node, gets the bytes to its kubelet or to one of its pods.
 * Source: RFC 9110 sections 9.3.6 and 11.7.
 */
export function createConnectProxy(options: ConnectProxyOptions, deps: ConnectProxyDeps): ConnectProxy {
  const limits = { ...defaultLimits, ...options.limits };
  const connects = new Connects(options, limits, deps);
  const listener: ConnectListener = createOpenListener(
    { name: 'connect proxy', address: options.listen },
    { ...deps, limits, serve: (request, signal) => connects.serve(request, signal) },
  );
  return {
    name: listener.name,
    get port() {
      return listener.port;
    },
    get streams() {
      return connects.places.taken;
    },
    get clients() {
      return listener.clients;
    },
    refuse: () => listener.refuse(),
    start: (signal) => listener.start(signal),
    stop: () => listener.stop(),
  };
}
