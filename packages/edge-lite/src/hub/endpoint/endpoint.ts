import type { Socket } from 'node:net';
import type { Clock, Logger, MetricsRegistry, SelvedgeError, Service } from '@selvedge/kit';
import {
  type HttpsListener,
  type Screening,
  createBodyReader,
  createByteShares,
  createHttpsListener,
  createQuota,
  createStrangers,
} from '@selvedge/kit/serve';
import type { Access } from '../access/types.ts';
import { errorResponse, statusError } from '../answers/index.ts';
import type { HubPki } from '../pki/index.ts';
import type { HubHandler } from '../request.ts';
import type { Upstream } from '../upstream/types.ts';
import { createAuthenticator } from './authenticator.ts';
import { type ExchangeDeps, answerExchange, createRequestMetrics } from './exchange.ts';
import { type EndpointLimits, defaultLimits } from './limits.ts';
import { type Link, linkOf } from './link.ts';
import { type LinkLocalDeps, createLinkLocal } from './link-local.ts';
import { createOwnPages } from './own-pages.ts';
import { type Relay, type Relayed, createRelay } from './relay.ts';
import { isUpgrade, passUpgrade } from './upgrade.ts';

export interface EndpointOptions {
  /** 0: any free one, the same on all addresses. */
  readonly port: number;
  /** IPv4, for pods. Undefined: loopback only. */
  readonly linkLocalAddress: string | undefined;
  readonly limits?: Partial<EndpointLimits>;
}

export interface EndpointDeps extends Pick<LinkLocalDeps, 'machineAddresses' | 'exec'> {
  readonly pki: Pick<HubPki, 'serving' | 'onChange'>;
  /** The cluster's CA now, PEM: whose client certificates are taken. */
  readonly clusterCa: () => string;
  readonly access: Pick<Access, 'authenticate' | 'authorize'>;
  readonly handler: HubHandler;
  readonly upstream: Pick<Upstream, 'upgrade' | 'dialRaw'>;
  /** Whether an address is of this node or of one of its pods; nobody else is served on the link-local address. */
  readonly isLocal: (remoteAddress: string) => boolean;
  /** Whether the pod with this address cannot know the hub's authority yet and is to be relayed. */
  readonly relayFor: (remoteAddress: string) => boolean;
  /** What `/selvedge/status` shows besides the endpoint; JSON to be. */
  readonly status: () => object;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

/**
 * Where clients of this node reach the hub: HTTPS, HTTP/1.1 and HTTP/2, on the loopback addresses and on a link-local one.
 * Its start rejects with `Unavailable` when the port or the address is not to be had.
 */
export interface Endpoint extends Service {
  /** Where it listens; empty before the start. */
  readonly addresses: readonly string[];
  readonly port: number;
  /** Open connections, relayed ones included. */
  readonly connections: number;
  readonly relayed: readonly Relayed[];
}

const loopback = ['127.0.0.1', '::1'] as const;

/** As the API server says it, so that clients ask again by themselves. Source: k8s.io/apiserver `filters/with_retry_after.go`. */
const stopping = (): SelvedgeError =>
  statusError('ResourceExhausted', 'the hub of this node stops, please try again later', {
    retryAfterSeconds: 1,
  });

/** `endpoint`: what `/selvedge/status` shows of it. */
function createExchanges(
  limits: EndpointLimits,
  deps: EndpointDeps,
  endpoint: () => object,
): Omit<ExchangeDeps, 'ending'> {
  const { maxBodyBytesInAll, maxBodyBytesEach, maxAnswerBytesInAll, maxAnswerBytesEach, reservedBytes } =
    limits;
  const bodies = { what: 'request bodies', maxBytes: maxBodyBytesInAll, maxBytesEach: maxBodyBytesEach };
  const answers = { what: 'answers', maxBytes: maxAnswerBytesInAll, maxBytesEach: maxAnswerBytesEach };
  const status = (): object => ({ ...deps.status(), endpoint: endpoint() });
  return {
    ...deps,
    authenticator: createAuthenticator({ ...deps, strangers: createStrangers(limits, deps) }),
    bodies: createBodyReader(limits, { ...deps, shares: createByteShares({ ...bodies, reservedBytes }) }),
    unsent: createByteShares({ ...answers, reservedBytes }),
    quota: createQuota(limits),
    ownPages: createOwnPages({ ...deps, status }),
    metrics: createRequestMetrics(deps.metrics),
  };
}

class HubEndpoint implements Endpoint {
  readonly name = 'hub endpoint';
  readonly #options: EndpointOptions;
  readonly #deps: EndpointDeps;
  readonly #relay: Relay;
  readonly #listener: HttpsListener;
  readonly #linkLocal: Service | undefined;

  constructor(options: EndpointOptions, deps: EndpointDeps) {
    const { metrics, log, clock, upstream } = deps;
    this.#options = options;
    this.#deps = deps;
    const limits = { ...defaultLimits, ...options.limits };
    this.#relay = createRelay({ dial: (signal) => upstream.dialRaw(signal), clock, log, metrics });
    this.#listener = this.#createListener(
      limits,
      createExchanges(limits, deps, () => this.#report()),
    );
    const address = options.linkLocalAddress;
    this.#linkLocal = address === undefined ? undefined : createLinkLocal({ address }, deps);
    const open = { name: 'selvedge_hub_connections', help: 'Open connections of local clients.' };
    metrics.sampled(open, () => this.connections);
  }

  get addresses(): readonly string[] {
    return this.#listener.addresses;
  }

  get port(): number {
    return this.#listener.port ?? this.#options.port;
  }

  get connections(): number {
    return this.#listener.connections;
  }

  get relayed(): readonly Relayed[] {
    return this.#relay.relayed;
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.#linkLocal?.start(signal);
    const { linkLocalAddress, port } = this.#options;
    const addresses = [...loopback, ...(linkLocalAddress === undefined ? [] : [linkLocalAddress])];
    const hint = 'another program has the port; choose one with modules.hub.port';
    await this.#listener.open({ addresses, optional: new Set(['::1']), port, hint }, signal);
    this.#deps.log.info('hub listens', { addresses: this.addresses, port: this.port });
  }

  async stop(): Promise<void> {
    await this.#listener.stop();
    await this.#linkLocal?.stop();
  }

  #createListener(limits: EndpointLimits, exchanges: Omit<ExchangeDeps, 'ending'>): HttpsListener {
    const { clusterCa: clientCa, ...deps } = this.#deps;
    return createHttpsListener<Link>(
      { name: this.name, versions: ['h2', 'http/1.1'], limits },
      {
        ...deps,
        clientCa,
        linkOf,
        screen: (socket, at) => this.#screen(socket, at),
        stopReason: stopping,
        refused: deps.metrics.counter({
          name: 'selvedge_hub_refused_connections_total',
          help: 'Connections that were not taken, by reason: foreign, source (too many of one address), total.',
        }),
        failures: deps.metrics.counter({
          name: 'selvedge_hub_handshake_failures_total',
          help: 'TLS handshakes of local clients that failed.',
        }),
        serve: {
          exchange: (exchange, signal) =>
            answerExchange(exchange, { ...exchanges, ending: this.#listener.ending }, signal),
          upgrade: (upgrade, signal) =>
            passUpgrade(upgrade, { ...exchanges, upstream: deps.upstream }, signal),
          isUpgrade,
          refusal: errorResponse,
        },
      },
    );
  }

  #screen({ remoteAddress }: Socket, at: string): Screening {
    const { isLocal, relayFor } = this.#deps;
    const forPods = at === this.#options.linkLocalAddress;
    if (remoteAddress === undefined || (forPods && !isLocal(remoteAddress))) {
      return { kind: 'refuse', reason: 'foreign' };
    }
    return forPods && relayFor(remoteAddress)
      ? { kind: 'run', work: (socket, signal) => this.#relay.run(socket, remoteAddress, signal) }
      : { kind: 'take' };
  }

  #report(): object {
    const { addresses, port, connections } = this;
    const relayed = this.relayed.map(({ sinceMs, ...pod }) => ({
      ...pod,
      since: new Date(sinceMs).toISOString(),
    }));
    return { addresses, port, connections, relayed };
  }
}

/** Does no I/O before its start. */
export function createEndpoint(options: EndpointOptions, deps: EndpointDeps): Endpoint {
  return new HubEndpoint(options, deps);
}
