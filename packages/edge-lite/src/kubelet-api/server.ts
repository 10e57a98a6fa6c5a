import { type MetricsRegistry, type Service, type TaskGroup, createTaskGroup } from '@selvedge/kit';
import { isLoopback, plainHost } from '@selvedge/kit/net';
import { type HttpsListener, createHttpsListener, createQuota, createStrangers } from '@selvedge/kit/serve';
import type { DelegatedAccess } from '@selvedge/kube';
import { refusalOf } from './errors.ts';
import { type ExchangeDeps, answerExchange } from './exchange.ts';
import { createGuard } from './guard.ts';
import { type KubeletApiLimits, defaultLimits } from './limits.ts';
import { type Link, linkOf } from './link.ts';
import { type KubeletApiMetrics, createKubeletApiMetrics } from './metrics.ts';
import { type OpeningDeps, type OpeningOptions, listen, whenCertified } from './opening.ts';
import { createRouter } from './routing/index.ts';
import type { KubeletRoute } from './types.ts';
import { type UpgradeDeps, isUpgrade, passUpgrade } from './upgrade.ts';

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

class Server implements KubeletServer {
  readonly name = 'kubelet API';
  readonly #options: KubeletServerOptions;
  readonly #deps: KubeletServerDeps;
  readonly #listener: HttpsListener;
  readonly #opening: TaskGroup;

  constructor(options: KubeletServerOptions, deps: KubeletServerDeps) {
    const limits = { ...defaultLimits, ...options.limits };
    this.#options = options;
    this.#deps = deps;
    const metrics = createKubeletApiMetrics(deps.metrics, {
      connections: () => this.connections,
      streams: () => this.#listener.streams,
      listening: () => (this.port === undefined ? 0 : 1),
    });
    this.#listener = this.#createListener(limits, metrics);
    this.#opening = createTaskGroup(
      { name: `${this.name} listener` },
      { onFailure: (error) => deps.log.error('kubelet API task failed', { error }) },
    );
  }

  get port(): number | undefined {
    return this.#listener.port;
  }

  get connections(): number {
    return this.#listener.connections;
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#opening.run('open', async (inner) => {
      await whenCertified(this.#deps, inner);
      await listen(this.#options, { listener: this.#listener, deps: this.#deps }, inner);
    });
  }

  async stop(): Promise<void> {
    await this.#opening.stop();
    await this.#listener.stop();
  }

  #createListener(limits: KubeletApiLimits, metrics: KubeletApiMetrics): HttpsListener {
    const { clusterCa: clientCa, ...deps } = this.#deps;
    const router = createRouter(deps.routes);
    const exchanges: Omit<ExchangeDeps, 'ending'> = {
      ...deps,
      guard: createGuard(this.#options, { ...deps, strangers: createStrangers(limits, deps) }),
      router,
      quota: createQuota(limits),
      limits,
      metrics,
    };
    const upgrades = (): UpgradeDeps => ({ ...exchanges, clock: deps.clock, ending: this.#listener.ending });
    return createHttpsListener<Link>(
      { name: this.name, limits },
      {
        ...deps,
        clientCa,
        linkOf,
        isLocal: (address) => isLoopback(address) || deps.ownAddresses().includes(plainHost(address)),
        refused: metrics.refusedConnections,
        failures: metrics.handshakeFailures,
        serve: {
          exchange: (exchange, signal) => answerExchange(exchange, upgrades(), signal),
          upgrade: (upgrade, signal) => passUpgrade(upgrade, upgrades(), signal),
          isUpgrade: (request) => isUpgrade(request, router),
          refusal: refusalOf,
        },
      },
    );
  }
}

/** Does no I/O before its start. */
export function createKubeletServer(options: KubeletServerOptions, deps: KubeletServerDeps): KubeletServer {
  return new Server(options, deps);
}
