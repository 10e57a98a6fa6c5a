import { readFile } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import {
  BoundedMap,
  type Clock,
  type Listeners,
  type Logger,
  type MetricsRegistry,
  type Random,
  SelvedgeError,
  type Service,
  createListeners,
  raceAbort,
} from '@selvedge/kit';
import type { HttpProxy } from '@selvedge/kit/net';
import type { Credentials } from '@selvedge/kube';
import { type Carrier, type TunnelCredentials, parseTarget } from '@selvedge/tunnel';
import {
  type LinkView,
  type TunnelAgent,
  type TunnelServerAddress,
  createTunnelAgent,
} from '@selvedge/tunnel/agent';
import { type NodeFacts, type Permission, rule } from './allow-list.ts';
import { createCarrierMemory } from './carrier-memory.ts';
import { type Rule, parseRule } from './rule.ts';
import { tunnelStatus } from './status.ts';
import { watchTraffic } from './traffic.ts';

export interface ServerOptions {
  /** `host:port`. */
  readonly address: string;
  readonly serverName?: string | undefined;
  readonly webSocketUrl?: string | undefined;
  /** A PEM file, or `system`. */
  readonly webSocketCaFile?: string | undefined;
}

export interface TunnelOptions {
  readonly servers: readonly ServerOptions[];
  readonly carriers: readonly Carrier[];
  /** PEM file of the authorities of the servers. Default: the cluster's. */
  readonly caFile?: string | undefined;
  readonly proxy?: HttpProxy | undefined;
  /** What is allowed besides the kubelet and the pods of the node; see `parseRule`. */
  readonly allow: readonly string[];
}

export interface TunnelDeps {
  readonly identity: {
    readonly credentials: (signal: AbortSignal) => Promise<Credentials>;
    onChange(changed: () => void): Disposable;
  };
  readonly facts: () => NodeFacts;
  readonly documents: Parameters<typeof createCarrierMemory>[0];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

/** The way back from the cloud into this node. Its start waits for nobody and reads the config's files. */
export interface Tunnel extends Service {
  /** What `/selvedge/status` shows. */
  status(): object;
  /**
   * A stream to a service behind a tunnel server, as `TunnelAgent.openForward` gives it. Waits for the start.
   */
  openForward(service: string, signal: AbortSignal): Promise<Duplex>;
  /** Told when a session with such streams drains: they end soon, and new ones go through another session. */
  onHandover(listener: () => void): Disposable;
}

/** Forward sessions of which is remembered that they drain. */
const maxDraining = 64;

/** Unread bytes in all: a node is smaller than a tunnel server. */
const maxBytes = 64 * 1024 * 1024;

function rulesOf(allow: readonly string[]): readonly Rule[] {
  return allow.map((text) => {
    const parsed = parseRule(text);
    if (parsed === undefined) throw new SelvedgeError(`${text} is no rule`, { code: 'Invalid' });
    return parsed;
  });
}

const readPem = async (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((cause: unknown) => {
    throw new SelvedgeError(`cannot read the authorities ${file}`, { code: 'Invalid', cause });
  });

async function serverOf({ webSocketCaFile: file, ...server }: ServerOptions): Promise<TunnelServerAddress> {
  if (file === undefined) return server;
  return { ...server, webSocketAuthority: file === 'system' ? file : await readPem(file) };
}

function credentialsOf(credentials: Credentials, authority: string | undefined): TunnelCredentials {
  const { clientCertificate, certificateAuthority = '' } = credentials;
  if (clientCertificate !== undefined) {
    return { ...clientCertificate, certificateAuthority: authority ?? certificateAuthority };
  }
  throw new SelvedgeError('the node has no certificate', { code: 'Unavailable' });
}

class NodeTunnel implements Tunnel {
  readonly name = 'tunnel';
  readonly #options: TunnelOptions;
  readonly #deps: TunnelDeps;
  readonly #rules: readonly Rule[];
  readonly #started = Promise.withResolvers<TunnelAgent>();
  readonly #handovers: Listeners<void>;
  /** Sessions of which was told. */
  readonly #draining = new BoundedMap<number, true>({ capacity: maxDraining });
  #agent: TunnelAgent | undefined;
  #rotations: Disposable | undefined;

  constructor(options: TunnelOptions, deps: TunnelDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#rules = rulesOf(options.allow);
    this.#handovers = createListeners(deps.log);
    watchTraffic({
      metrics: deps.metrics,
      targets: () => this.#agent?.traffic ?? [],
      permissionOf: (target) => this.#permissionOf(target),
    });
    deps.metrics.sampled(
      { name: 'selvedge_tunnel_links_up', help: 'Tunnel servers that there is a session with.' },
      () => (this.#agent?.links ?? []).filter(({ state }) => state.kind === 'up').length,
    );
  }

  async start(signal: AbortSignal): Promise<void> {
    const { caFile, carriers, proxy } = this.#options;
    const { identity, documents, facts, log } = this.#deps;
    const authority = caFile === undefined ? undefined : await readPem(caFile);
    const servers = await Promise.all(this.#options.servers.map(serverOf));
    const agent = createTunnelAgent(
      { servers, carriers, proxy, limits: { maxBytes } },
      {
        ...this.#deps,
        log: log.with({ module: 'tunnel' }),
        credentials: async (asked) => credentialsOf(await identity.credentials(asked), authority),
        allow: (target) => rule(target, this.#rules, facts()),
        memory: createCarrierMemory(documents),
      },
    );
    this.#agent = agent;
    this.#rotations = identity.onChange(() => agent.renew());
    agent.onChange((link) => this.#notice(link));
    await agent.start(signal);
    this.#started.resolve(agent);
  }

  async stop(): Promise<void> {
    this.#rotations?.[Symbol.dispose]();
    await this.#agent?.stop();
  }

  async openForward(service: string, signal: AbortSignal): Promise<Duplex> {
    const agent = await raceAbort(this.#started.promise, signal);
    return agent.openForward(service, signal);
  }

  onHandover(listener: () => void): Disposable {
    return this.#handovers.add(listener);
  }

  status(): object {
    return tunnelStatus(this.#agent ?? { links: [], traffic: [] });
  }

  #notice({ sessions }: LinkView): void {
    for (const { id, direction, state } of sessions) {
      if (direction !== 'forward' || state.kind !== 'draining' || this.#draining.get(id) === true) continue;
      this.#draining.set(id, true);
      this.#handovers.tell();
    }
  }

  /** A pod that is gone by now was one. */
  #permissionOf(text: string): Permission {
    const target = parseTarget(text);
    const ruling = target === undefined ? undefined : rule(target, this.#rules, this.#deps.facts());
    return ruling?.kind === 'allowed' ? ruling.by : 'pod';
  }
}

/** Does no I/O before its start. Throws `Invalid` for a rule that is none. */
export function createTunnel(options: TunnelOptions, deps: TunnelDeps): Tunnel {
  return new NodeTunnel(options, deps);
}
