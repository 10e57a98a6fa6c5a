import type { Socket } from 'node:net';
import {
  type Clock,
  type Logger,
  type MetricsRegistry,
  type Service,
  type TaskGroup,
  type SelvedgeError,
  createTaskGroup,
  scoped,
  withDeadline,
} from '@selvedge/kit';
import {
  type Connections,
  type Listeners,
  type Secure,
  createConnections,
  createHttp1,
  createQuota,
  createSecure,
  createStrangers,
  openListeners,
} from '../../listen/index.ts';
import type { Access } from '../access/types.ts';
import { errorResponse, statusError } from '../answers/index.ts';
import type { HubPki } from '../pki/index.ts';
import type { HubHandler } from '../request.ts';
import type { Upstream } from '../upstream/types.ts';
import { createAuthenticator } from './authenticator.ts';
import { createBodyReader } from './body.ts';
import { createByteShares } from './byte-shares.ts';
import { type ExchangeDeps, createRequestMetrics, serveExchange } from './exchange.ts';
import { createHttp2 } from './http2.ts';
import { type EndpointLimits, defaultLimits } from './limits.ts';
import { linkOf } from './link.ts';
import { type LinkLocalDeps, createLinkLocal } from './link-local.ts';
import { createOwnPages } from './own-pages.ts';
import type { Protocol } from './protocol.ts';
import { type Relay, type Relayed, createRelay } from './relay.ts';
import { isUpgrade, serveUpgrade } from './upgrade.ts';

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

class HubEndpoint implements Endpoint {
  readonly name = 'hub endpoint';
  readonly #options: EndpointOptions;
  readonly #deps: EndpointDeps;
  readonly #limits: EndpointLimits;
  readonly #connections: Connections;
  readonly #relay: Relay;
  readonly #exchanges: ExchangeDeps;
  readonly #linkLocal: Service | undefined;
  readonly #requests: TaskGroup;
  /** What has no end of its own: relayed and upgraded connections. */
  readonly #streams: TaskGroup;
  readonly #ending = scoped();
  readonly #refused;
  readonly #failures;
  #listeners: Listeners | undefined;
  #secure: Secure | undefined;
  #protocols: { readonly h2: Protocol; readonly http1: Protocol } | undefined;

  constructor(options: EndpointOptions, deps: EndpointDeps) {
    const { metrics, log, clock, upstream } = deps;
    this.#options = options;
    this.#deps = deps;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#connections = createConnections(this.#limits);
    this.#relay = createRelay({ dial: (signal) => upstream.dialRaw(signal), clock, log, metrics });
    this.#requests = this.#createTasks('requests');
    this.#streams = this.#createTasks('streams');
    this.#exchanges = this.#createExchangeDeps();
    const address = options.linkLocalAddress;
    this.#linkLocal = address === undefined ? undefined : createLinkLocal({ address }, deps);
    this.#refused = metrics.counter({
      name: 'selvedge_hub_refused_connections_total',
      help: 'Connections that were not taken, by reason: foreign, source (too many of one address), total.',
    });
    this.#failures = metrics.counter({
      name: 'selvedge_hub_handshake_failures_total',
      help: 'TLS handshakes of local clients that failed.',
    });
    const open = { name: 'selvedge_hub_connections', help: 'Open connections of local clients.' };
    metrics.sampled(open, () => this.connections);
  }

  get addresses(): readonly string[] {
    return this.#listeners?.addresses ?? [];
  }

  get port(): number {
    return this.#listeners?.port ?? this.#options.port;
  }

  get connections(): number {
    return this.#connections.size;
  }

  get relayed(): readonly Relayed[] {
    return this.#relay.relayed;
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.#linkLocal?.start(signal);
    const protocols = this.#createProtocols();
    this.#protocols = protocols;
    const secure = { protocols: ['h2', 'http/1.1'], handshakeMs: this.#limits.handshakeMs };
    this.#secure = createSecure(secure, { ...this.#deps, failures: this.#failures }, (socket, ca) => {
      protocols[socket.alpnProtocol === 'h2' ? 'h2' : 'http1'].take(socket, linkOf(socket, ca));
    });
    const { linkLocalAddress, port } = this.#options;
    const addresses = [...loopback, ...(linkLocalAddress === undefined ? [] : [linkLocalAddress])];
    const hint = 'another program has the port; choose one with modules.hub.port';
    const where = { addresses, optional: new Set(['::1']), port, hint };
    this.#listeners = await openListeners(where, (socket, at) => this.#accept(socket, at), signal);
    this.#deps.log.info('hub listens', { addresses: this.addresses, port: this.port });
  }

  async stop(): Promise<void> {
    const listening = this.#listeners?.close();
    this.#secure?.[Symbol.dispose]();
    const protocols = this.#protocols === undefined ? [] : Object.values(this.#protocols);
    const ended = protocols.map((protocol) => protocol.close());
    this.#ending.abort(stopping());
    await this.#streams.stop();
    await this.#drain(ended);
    this.#connections.destroyAll();
    await this.#requests.stop();
    await listening;
    await this.#linkLocal?.stop();
  }

  /** Gives what is under way, and will end, a moment for it. */
  async #drain(ended: readonly Promise<void>[]): Promise<void> {
    const { drainMs } = this.#limits;
    const deadline = { what: 'requests under way', timeoutMs: drainMs };
    try {
      await withDeadline(deadline, this.#deps.clock, async () => {
        await this.#requests.idle();
        await Promise.all(ended);
      });
    } catch {
      this.#deps.log.info('requests under way are broken off', { requests: this.#requests.size, drainMs });
    }
  }

  #createTasks(what: string): TaskGroup {
    const { maxConnections, maxStreams, maxPipelined } = this.#limits;
    const maxTasks = maxConnections * (Math.max(maxStreams, maxPipelined) + 1);
    const onFailure = (error: unknown, task: string): void =>
      this.#deps.log.error('hub request failed', { task, error });
    return createTaskGroup({ name: `${this.name} ${what}`, maxTasks }, { onFailure });
  }

  #createExchangeDeps(): ExchangeDeps {
    const limits = this.#limits;
    const deps = this.#deps;
    const { maxBodyBytesInAll, maxBodyBytesEach, maxAnswerBytesInAll, maxAnswerBytesEach, reservedBytes } =
      limits;
    const bodies = { what: 'request bodies', maxBytes: maxBodyBytesInAll, maxBytesEach: maxBodyBytesEach };
    const answers = { what: 'answers', maxBytes: maxAnswerBytesInAll, maxBytesEach: maxAnswerBytesEach };
    const status = (): object => ({ ...deps.status(), endpoint: this.#report() });
    return {
      ...deps,
      authenticator: createAuthenticator({ ...deps, strangers: createStrangers(limits, deps) }),
      bodies: createBodyReader(limits, {
        ...deps,
        shares: createByteShares({ ...bodies, reservedBytes }),
      }),
      unsent: createByteShares({ ...answers, reservedBytes }),
      quota: createQuota(limits),
      ownPages: createOwnPages({ ...deps, status }),
      metrics: createRequestMetrics(deps.metrics),
      ending: this.#ending.signal,
    };
  }

  #createProtocols(): { readonly h2: Protocol; readonly http1: Protocol } {
    const upgrades = { ...this.#exchanges, upstream: this.#deps.upstream };
    const sinks = {
      exchange: (exchange: Parameters<typeof serveExchange>[0]): void =>
        this.#requests.run('request', (signal) => serveExchange(exchange, this.#exchanges, signal)),
      upgrade: (upgrade: Parameters<typeof serveUpgrade>[0]): void =>
        this.#streams.run('upgrade', (signal) => serveUpgrade(upgrade, upgrades, signal)),
    };
    const http1 = createHttp1(this.#limits, { ...sinks, isUpgrade, refusal: errorResponse });
    return { h2: createHttp2(this.#limits, sinks), http1 };
  }

  #accept(socket: Socket, at: string): void {
    const { remoteAddress } = socket;
    const forPods = at === this.#options.linkLocalAddress;
    if (remoteAddress === undefined || (forPods && !this.#deps.isLocal(remoteAddress))) {
      this.#refuse(socket, 'foreign');
      return;
    }
    const full = this.#connections.admit(socket, remoteAddress);
    if (full !== undefined) this.#refuse(socket, full);
    else if (forPods && this.#deps.relayFor(remoteAddress)) {
      this.#streams.run('relay', (signal) => this.#relay.run(socket, remoteAddress, signal));
    } else this.#secure?.take(socket);
  }

  #refuse(socket: Socket, reason: string): void {
    this.#refused.add({ reason });
    this.#deps.log.debug('connection refused', { reason, remoteAddress: socket.remoteAddress });
    socket.resetAndDestroy();
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
