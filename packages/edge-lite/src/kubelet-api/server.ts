import type { Socket } from 'node:net';
import {
  type Clock,
  type Logger,
  type MetricsRegistry,
  type Service,
  type TaskGroup,
  createBackoff,
  createTaskGroup,
  raceAbort,
  withDeadline,
  type Random,
} from '@selvedge/kit';
import type { DelegatedAccess } from '@selvedge/kube';
import {
  type Connections,
  type Listeners,
  type Secure,
  type ServingSource,
  createConnections,
  createHttp1,
  createQuota,
  createSecure,
  createStrangers,
  isLoopback,
  openListeners,
} from '../listen/index.ts';
import { refusalOf } from './errors.ts';
import { type ExchangeDeps, serveExchange } from './exchange.ts';
import { createGuard } from './guard.ts';
import { type KubeletApiLimits, defaultLimits } from './limits.ts';
import { type Link, linkOf } from './link.ts';
import { type KubeletApiMetrics, createKubeletApiMetrics } from './metrics.ts';
import { createRouter } from './routing/index.ts';
import type { KubeletRoute } from './types.ts';
import { isUpgrade, serveUpgrade } from './upgrade.ts';

export interface KubeletServerOptions {
  readonly nodeName: string;
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
  readonly limits?: Partial<KubeletApiLimits> | undefined;
}

export interface KubeletServerDeps {
  readonly routes: readonly KubeletRoute[];
  readonly access: DelegatedAccess;
  /** The node's serving certificate: nothing listens before there is one. */
  readonly pki: ServingSource;
  /** The cluster's CA now, PEM: whose client certificates are taken. */
  readonly clusterCa: () => string;
  /** The machine's own addresses, whose connections count as those of loopback do: a tunnel's come from there. */
  readonly ownAddresses: () => readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
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
const retry = { initialMs: 1_000, maxMs: 30_000, resetAfterMs: 60_000 };
const hint = 'another program, a kubelet perhaps, has the port; choose one with modules.pods.kubeletApi.port';

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
    this.#metrics = createKubeletApiMetrics(deps.metrics);
    this.#requests = this.#createTasks('requests');
    this.#streams = this.#createTasks('streams');
    this.#opening = this.#createTasks('listener');
    this.#exchanges = {
      ...deps,
      guard: createGuard(options, { ...deps, strangers: createStrangers(limits, deps) }),
      router: createRouter(deps.routes),
      quota: createQuota(limits),
      metrics: this.#metrics,
    };
    this.#http1 = this.#createHttp1();
    const open = { name: 'selvedge_kubelet_api_connections', help: 'Open connections to the kubelet API.' };
    deps.metrics.sampled(open, () => this.connections);
    const streams = {
      name: 'selvedge_kubelet_api_streams',
      help: 'Open exec, attach and port-forward streams.',
    };
    deps.metrics.sampled(streams, () => this.#streams.size);
    const listens = {
      name: 'selvedge_kubelet_api_listening',
      help: '1 while the kubelet API listens, 0 before the node has its serving certificate.',
    };
    deps.metrics.sampled(listens, () => (this.port === undefined ? 0 : 1));
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
    const { clock, random, log, pki } = this.#deps;
    if (pki.serving === undefined) log.info('kubelet API waits for its certificate');
    await this.#certified(signal);
    this.#secure = this.#createSecure();
    const backoff = createBackoff(retry, { clock, random });
    while (this.#listeners === undefined) {
      try {
        this.#listeners = await this.#listen(signal);
      } catch (error) {
        signal.throwIfAborted();
        log.error('kubelet API does not listen', { error });
        await clock.sleep(backoff.nextDelayMs(), signal);
      }
    }
    const { addresses, port } = this.#listeners;
    log.info('kubelet API listens', { addresses, port });
  }

  async #certified(signal: AbortSignal): Promise<void> {
    const { pki } = this.#deps;
    if (pki.serving !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    using changed = pki.onChange(resolve);
    await raceAbort(promise, signal);
  }

  #listen(signal: AbortSignal): Promise<Listeners> {
    const { address, port } = this.#options;
    // As in Go, the wildcard is that of both families.
    const addresses = address === '0.0.0.0' ? [address, '::'] : [address];
    const where = { addresses, optional: new Set(['::']), port, hint };
    return openListeners(where, (socket) => this.#accept(socket), signal);
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
