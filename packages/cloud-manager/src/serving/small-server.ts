import type { TLSSocket } from 'node:tls';
import type { Clock, Counter, Logger, MetricsRegistry, Service } from '@selvedge/kit';
import {
  type Answer,
  type Exchange,
  type HttpsLimits,
  type HttpsListener,
  type Link,
  type ServingSource,
  type WholeAnswer,
  anyFamily,
  createHttpsListener,
  linkTo,
  respond,
  serveExchange,
  textAnswer,
} from '@selvedge/kit/serve';
import type { Address } from '../config/index.ts';
import type { Pem } from './pem-files.ts';

/** What is known of a client's connection. */
export interface ClientLink extends Link {
  /** DER of the leaf, whose key TLS has proven; its signer, where one is required. */
  readonly certificate: Uint8Array | undefined;
}

/** One request. */
export interface Asked extends Pick<Exchange<ClientLink>, 'link' | 'request'> {
  /** The client went away, or the server stops. */
  readonly signal: AbortSignal;
}

/** Rejects with nothing but what it did not expect: that is a 500 without words. */
export type Handler = (asked: Asked) => Promise<Answer>;

export interface SmallServerOptions {
  readonly name: string;
  /** In the names of its metrics. */
  readonly subsystem: string;
  readonly listen: Address;
  /**
   * `required`: who has no certificate of the files' client CA is not heard. `optional`: a certificate is asked for if there
   * is a client CA, and the handler judges it.
   */
  readonly clientCertificate: 'required' | 'optional';
  readonly limits?: Partial<HttpsLimits>;
}

export interface SmallServerDeps {
  readonly pem: ServingSource & { readonly current: Pick<Pem, 'clientCa'> };
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  readonly handler: Handler;
}

export interface SmallServer extends Service {
  /** Once started. */
  readonly port: number;
}

/** Few clients and small requests; docs/limits.md says what happens beyond them. */
const defaultLimits: HttpsLimits = {
  maxConnections: 256,
  maxConnectionsPerSource: 64,
  maxConnectionsFromLoopback: 64,
  maxNewcomers: 64,
  maxHeaderBytes: 32 * 1024,
  maxPipelined: 4,
  handshakeMs: 10_000,
  headersMs: 10_000,
  bodyMs: 20_000,
  idleMs: 90_000,
  drainMs: 2_000,
};

const hint = 'another program has the port, or the address is none of this machine';
const internalError = textAnswer(500, 'internal error\n');

const linkOf = (socket: TLSSocket): ClientLink => ({
  ...linkTo(socket),
  certificate: socket.getPeerX509Certificate()?.raw,
});

const countersOf = (
  subsystem: string,
  metrics: MetricsRegistry,
): { readonly refused: Counter; readonly failures: Counter } => ({
  refused: metrics.counter({
    name: `selvedge_${subsystem}_refused_connections_total`,
    help: 'Connections that were not taken, by reason: source (too many of one address), total.',
  }),
  failures: metrics.counter({
    name: `selvedge_${subsystem}_handshake_failures_total`,
    help: 'TLS handshakes that failed.',
  }),
});

class Server implements SmallServer {
  readonly name: string;
  readonly #options: SmallServerOptions;
  readonly #deps: SmallServerDeps;
  readonly #listener: HttpsListener;

  constructor(options: SmallServerOptions, deps: SmallServerDeps) {
    const { pem } = deps;
    this.name = options.name;
    this.#options = options;
    this.#deps = deps;
    this.#listener = createHttpsListener<ClientLink>(
      { ...options, limits: { ...defaultLimits, ...options.limits } },
      {
        ...deps,
        ...countersOf(options.subsystem, deps.metrics),
        pki: pem,
        clientCa: () => pem.current.clientCa,
        linkOf,
        serve: {
          exchange: (exchange, signal) => this.#serve(exchange, signal),
          refusal: (error) => textAnswer(Number(error.details['status'] ?? 400), 'bad request\n'),
        },
      },
    );
  }

  get port(): number {
    return this.#listener.port ?? 0;
  }

  async start(signal: AbortSignal): Promise<void> {
    const { listen } = this.#options;
    await this.#listener.open({ ...anyFamily(listen.host), port: listen.port, hint }, signal);
    this.#deps.log.info('listening', { listener: this.name, host: listen.host, port: this.port });
  }

  stop(): Promise<void> {
    return this.#listener.stop();
  }

  #serve(exchange: Exchange<ClientLink>, stopped: AbortSignal): Promise<void> {
    const { handler, log } = this.#deps;
    const { request, response, link } = exchange;
    const refuse = (error: unknown): WholeAnswer => {
      log.error('request failed', { listener: this.name, error });
      return internalError;
    };
    const answer = async (signal: AbortSignal): Promise<void> => {
      const given = await handler({ request, link, signal });
      const headers = { 'cache-control': 'no-store', ...(request.complete ? {} : { connection: 'close' }) };
      await respond(response, given, { withoutBody: request.method === 'HEAD', headers, signal });
    };
    return serveExchange(exchange, { answer, refuse, log }, stopped);
  }
}

/** HTTPS for few small requests. The certificate is replaced between two connections. Its stop takes two seconds at most. */
export function createSmallServer(options: SmallServerOptions, deps: SmallServerDeps): SmallServer {
  return new Server(options, deps);
}
