import type { Socket } from 'node:net';
import {
  type MetricsRegistry,
  type Service,
  type TaskGroup,
  createTaskGroup,
  withDeadline,
} from '@selvedge/kit';
import type { DelegatedAccess } from '@selvedge/kube';
import {
  type Connections,
  type Listeners,
  type Secure,
  createConnections,
  createHttp1,
  createQuota,
  createSecure,
  createStrangers,
  isLoopback,
} from '../listen/index.ts';
import { refusalOf } from './errors.ts';
import { type ExchangeDeps, serveExchange } from './exchange.ts';
import { createGuard } from './guard.ts';
import { type KubeletApiLimits, defaultLimits } from './limits.ts';
import { type Link, linkOf } from './link.ts';
import { type KubeletApiMetrics, createKubeletApiMetrics } from './metrics.ts';
import { type OpeningDeps, type OpeningOptions, listen, whenCertified } from './opening.ts';
import { createRouter } from './routing/index.ts';
import type { KubeletRoute } from './types.ts';
import { isUpgrade, serveUpgrade } from './upgrade.ts';

export interface KubeletServerOptions extends OpeningOptions {
  readonly nodeName: string;
  readonly limits?: Partial<KubeletApiLimits> | undefined;
}

export interface KubeletServerDeps extends OpeningDeps {
  readonly routes: readonly KubeletRoute[];
  readonly access: DelegatedAccess;
  /** The cluster's CA now, PEM: whose client certificates are taken. */
  readonly clusterCa: () => string;
  /** The machine's own addresses, whose connections count as those of loopback do: a tunnel's come from there. */
  readonly ownAddresses: () => readonly string[];
  readonly metrics: MetricsRegistry;
}

/**
 * The kubelet's HTTPS API: HTTP/1.1 over TLS 1.2 and later. Its start does not wait for a certificate, nor for the port if
 * another program has it; both are tried until it stops.
 */
export interface KubeletServer extends Service {
  /** Where it listens; undefined while it does not. */
  readonly port: number | undefined;
  /** Open connections. */
  readonly connections: number;
}

/** In the mapped form that a socket on `::` shows. */
const mapped = /^::ffff:/;
class HttpsServer implements KubeletServer {
  readonly name = 'kubelet API';
  readonly #options: KubeletServerOptions;
  readonly #deps: KubeletServerDeps;
  readonly #limits: KubeletApiLimits;
  readonly #connections: Connections;
  readonly #metrics: KubeletApiMetrics;
  readonly #exchanges: ExchangeDeps;
  readonly #requests: TaskGroup;
  readonly #streams: TaskGroup;
  readonly #opening: TaskGroup;
  readonly #http1;
  #listeners: Listeners | undefined;
  #secure: Secure | undefined;

  constructor(options: KubeletServerOptions, deps: KubeletServerDeps) {
    const limits = { ...defaultLimits, ...options.limits };
    this.#options = options;
    this.#deps = deps;
    this.#limits = limits;
    const isLocal = (address: string): boolean =>
      isLoopback(address) || deps.ownAddresses().includes(address.replace(mapped, ''));
    this.#connections = createConnections(limits, isLocal);
    this.#metrics = createKubeletApiMetrics(deps.metrics, {
      connections: () => this.connections,
      streams: () => this.#streams.size,
      listening: () => (this.port === undefined ? 0 : 1),
    });
    this.#requests = this.#createTasks('requests');
    this.#streams = this.#createTasks('streams');
    this.#opening = this.#createTasks('listener');
    this.#exchanges = {
      ...deps,
      guard: createGuard(options, { ...deps, strangers: createStrangers(limits, deps) }),
      router: createRouter(deps.routes),
      quota: createQuota(limits),
      limits,
      metrics: this.#metrics,
      ending: this.#streams.signal,
    };
    this.#http1 = this.#createHttp1();
  }

  get port(): number | undefined {
    return this.#listeners?.port;
  }

  get connections(): number {
    return this.#connections.size;
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#opening.run('open', (inner) => this.#open(inner));
  }

  async stop(): Promise<void> {
    await this.#opening.stop();
    const listening = this.#listeners?.close();
    this.#secure?.[Symbol.dispose]();
    const closing = this.#http1.close();
    await this.#streams.stop();
    await this.#drain();
    this.#connections.destroyAll();
    await this.#requests.stop();
    await closing;
    await listening;
    this.#listeners = undefined;
  }

  /** Gives what is under way, and will end, a moment for it. */
  async #drain(): Promise<void> {
    const { drainMs } = this.#limits;
    const deadline = { what: 'requests under way', timeoutMs: drainMs };
    try {
      await withDeadline(deadline, this.#deps.clock, () => this.#requests.idle());
    } catch {
      this.#deps.log.info('kubelet API requests are broken off', { requests: this.#requests.size, drainMs });
    }
  }

  async #open(signal: AbortSignal): Promise<void> {
    await whenCertified(this.#deps, signal);
    this.#secure = this.#createSecure();
    const accepted = (socket: Socket): void => this.#accept(socket);
    this.#listeners = await listen(this.#options, { accepted, deps: this.#deps }, signal);
  }

  #accept(socket: Socket): void {
    const { remoteAddress } = socket;
    const full = this.#connections.admit(socket, remoteAddress ?? '');
    if (full === undefined) {
      this.#secure?.take(socket);
      return;
    }
    this.#metrics.refusedConnections.add({ reason: full });
    this.#deps.log.debug('kubelet API connection refused', { reason: full, remoteAddress });
    socket.resetAndDestroy();
  }

  #createSecure(): Secure {
    const options = { protocols: ['http/1.1'], handshakeMs: this.#limits.handshakeMs };
    const deps = { ...this.#deps, failures: this.#metrics.handshakeFailures };
    return createSecure(options, deps, (socket) => this.#http1.take(socket, linkOf(socket)));
  }

  #createHttp1(): ReturnType<typeof createHttp1<Link>> {
    const exchanges = this.#exchanges;
    const upgrades = { ...exchanges, limits: this.#limits };
    return createHttp1<Link>(this.#limits, {
      exchange: (exchange) =>
        this.#requests.run('request', (signal) => serveExchange(exchange, exchanges, signal)),
      upgrade: (upgrade) => this.#streams.run('stream', (signal) => serveUpgrade(upgrade, upgrades, signal)),
      isUpgrade: (request) => isUpgrade(request, exchanges.router),
      refusal: refusalOf,
    });
  }

  #createTasks(what: string): TaskGroup {
    const { maxConnections, maxPipelined } = this.#limits;
    const onFailure = (error: unknown, task: string): void =>
      this.#deps.log.error('kubelet API task failed', { task, error });
    return createTaskGroup(
      { name: `${this.name} ${what}`, maxTasks: maxConnections * (maxPipelined + 1) },
      { onFailure },
    );
  }
}

/** Does no I/O before its start. */
export function createKubeletServer(options: KubeletServerOptions, deps: KubeletServerDeps): KubeletServer {
  return new HttpsServer(options, deps);
}
