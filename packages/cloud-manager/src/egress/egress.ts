import { type Logger, type MetricsRegistry, SelvedgeError, type Service } from '@selvedge/kit';
import { type Place, type Places, createPlaces } from '@selvedge/kit/serve';
import { type Target, parseTarget } from '@selvedge/tunnel';
import type { EgressConfig } from '../config/index.ts';
import type { Drained } from '../drain.ts';
import type { PemFiles } from '../serving/index.ts';
import { relayHeader } from './answers.ts';
import {
  type Client,
  type ConnectLimits,
  type ConnectListener,
  type ConnectRequest,
  createTlsListener,
  createUnixListener,
  defaultConnectLimits,
} from './connect-listener.ts';
import type { EgressMetrics } from './metrics.ts';
import type { Opened, Router } from './router.ts';
import { type Opening, type StreamLimits, defaultStreamLimits, serveConnect } from './serve-connect.ts';

export interface EgressDeps {
  readonly router: Router;
  /** With `tls` in the config. */
  readonly pem: PemFiles | undefined;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  readonly egressMetrics: EgressMetrics;
}

/** Where the API server's connections into the cluster come out. */
export interface Egress extends Service, Drained {
  /** Of the TLS listener, once started. */
  readonly port: number | undefined;
  /** That are open, or being opened. */
  readonly streams: number;
}

/** See docs/limits.md. */
export interface EgressLimits extends ConnectLimits, StreamLimits {
  /** Default 10,000. */
  readonly streams: number;
  /** Default 5,000. */
  readonly streamsPerClient: number;
}

export interface EgressOptions extends EgressConfig {
  readonly limits?: Partial<EgressLimits>;
}

const defaultLimits: EgressLimits = {
  ...defaultConnectLimits,
  streams: 10_000,
  streamsPerClient: 5_000,
  ...defaultStreamLimits,
};

/** For people, and to count by: no certificate's is the Unix socket's. */
const nameOf = (client: Client): string =>
  client.kind === 'unix' ? 'the Unix socket' : `certificate ${client.name}`;

const isNamed = (names: ReadonlySet<string>, client: Client): boolean =>
  client.kind === 'certificate' && names.has(client.name);

class Connects {
  readonly #names: { readonly clients: ReadonlySet<string>; readonly servers: ReadonlySet<string> };
  readonly #deps: EgressDeps;
  readonly #limits: EgressLimits;
  readonly places: Places;

  constructor({ tls }: EgressConfig, limits: EgressLimits, deps: EgressDeps) {
    this.#limits = limits;
    this.#names = {
      clients: new Set(tls?.clients ?? []),
      servers: new Set(tls?.servers ?? []),
    };
    this.#deps = deps;
    const { streams: total, streamsPerClient: perClient } = limits;
    this.places = createPlaces({ what: 'streams', total, perClient });
    deps.metrics.sampled(
      { name: 'selvedge_egress_streams', help: 'Streams that are open, or being opened.' },
      () => this.places.taken,
    );
  }

  serve(request: ConnectRequest, signal: AbortSignal): Promise<void> {
    const { log, egressMetrics: metrics } = this.#deps;
    const open = (opening: Opening): Promise<Opened> => this.#openHeld(opening);
    return serveConnect(request, { open, limits: this.#limits, log, metrics }, signal);
  }

  async #openHeld({ request, held, signal }: Opening): Promise<Opened> {
    held.use(this.#take(request.client));
    return this.#open(request, signal);
  }

  /** The router counts all that it is asked for. */
  #take(client: Client): Place {
    try {
      return this.places.take(nameOf(client));
    } catch (error) {
      this.#deps.egressMetrics.streams.add({ rule: 'none', way: 'none', outcome: 'limited' });
      throw error;
    }
  }

  #open({ client, authority, headers }: ConnectRequest, signal: AbortSignal): Promise<Opened> {
    const target = parseTarget(authority);
    if (target === undefined) {
      throw new SelvedgeError(`${authority} is not host:port`, { code: 'Invalid' });
    }
    const relayTo = headers[relayHeader];
    if (typeof relayTo === 'string') return this.#openRelayed(client, { node: relayTo, target }, signal);
    if (client.kind === 'unix' || isNamed(this.#names.clients, client)) {
      return this.#deps.router.open(target, signal);
    }
    throw new SelvedgeError(`${nameOf(client)} may not open streams here`, { code: 'Forbidden' });
  }

  #openRelayed(
    client: Client,
    { node, target }: { readonly node: string; readonly target: Target },
    signal: AbortSignal,
  ): Promise<Opened> {
    if (isNamed(this.#names.servers, client)) return this.#deps.router.openHere(node, target, signal);
    throw new SelvedgeError(`${nameOf(client)} is no server that may relay`, { code: 'Forbidden' });
  }
}

/**
 * Serves the API server's EgressSelector, protocol `HTTPConnect`, and other servers that ask for a stream to a node which
 * is connected here. Source: kubernetes.io "Set up Konnectivity service", KEP-1281 "Network Proxy".
 */
export function createEgress(config: EgressOptions, deps: EgressDeps): Egress {
  const { pem, log } = deps;
  const limits = { ...defaultLimits, ...config.limits };
  const connects = new Connects(config, limits, deps);
  const serve = (request: ConnectRequest, signal: AbortSignal): Promise<void> =>
    connects.serve(request, signal);
  const unix =
    config.unixSocket === undefined ? [] : [createUnixListener(config.unixSocket, { serve, log, limits })];
  const tls =
    config.tls === undefined || pem === undefined
      ? []
      : [createTlsListener(config.tls.listen, { serve, log, limits, pem })];
  const listeners: readonly ConnectListener[] = [...unix, ...tls];
  return {
    name: 'egress',
    get port() {
      return tls[0]?.port;
    },
    get streams() {
      return connects.places.taken;
    },
    get clients() {
      return listeners.flatMap((listener) => Array.from(listener.clients));
    },
    async refuse() {
      await Promise.all(listeners.map((listener) => listener.refuse()));
    },
    async start(signal) {
      for (const listener of listeners) await listener.start(signal);
    },
    async stop() {
      await Promise.all(listeners.map((listener) => listener.stop()));
    },
  };
}
