import type { Duplex } from 'node:stream';
import { type Clock, type Logger, type Random, SelvedgeError, hasCode, withDeadline } from '@selvedge/kit';
import { type Target, formatTarget } from '@selvedge/tunnel';
import type { TunnelServer } from '@selvedge/tunnel/server';
import { isAnswerOfNode } from './answers.ts';
import { type ClusterView, type Route, resolve } from './destination.ts';
import type { Dial } from './dial.ts';
import type { EgressMetrics, StreamOutcome, Way } from './metrics.ts';
import type { RelayRequest } from './relay-client.ts';

/** A stream to where it was asked for. */
export interface Opened {
  readonly stream: Duplex;
  readonly rule: StreamOutcome['rule'];
}

/** Another server with a session of a node. */
export interface RelayHolder {
  readonly server: string;
  /** `host:port`. */
  readonly egress?: string | undefined;
}

export interface RouterDeps {
  readonly view: ClusterView;
  readonly tunnel: Pick<TunnelServer, 'open' | 'reaches'>;
  /** Other servers that have a session of the node, the best first. */
  readonly holders: (node: string) => readonly RelayHolder[];
  /** Absent: this server asks no other. */
  readonly relay: ((request: RelayRequest) => Promise<Duplex>) | undefined;
  readonly dial: Dial;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: EgressMetrics;
}

/** Opens streams, within 30 s. All of it rejects with a message that the one who asked may read. */
export interface Router {
  /** To whatever it is. Where the node of a Service's endpoint does not answer, another endpoint is asked. */
  open(target: Target, signal: AbortSignal): Promise<Opened>;
  /** Through the tunnel of that node, from here or from another server. */
  openNode(node: string, target: Target, signal: AbortSignal): Promise<Opened>;
  /** Through a session that this server has: for another server, which has looked up all there is to know. */
  openHere(node: string, target: Target, signal: AbortSignal): Promise<Opened>;
  /** Without a tunnel. */
  openDirect(target: Target, signal: AbortSignal): Promise<Opened>;
}

interface Reached {
  readonly stream: Duplex;
  readonly way: Way;
}

type Asked = Omit<RelayRequest, 'address'>;

/** Nodes that are asked for one connection to a Service. */
const maxEndpoints = 3;

/** For all attempts together: nobody waits longer, the most patient webhook of an API server (30 s) included. */
const openMs = 30_000;

/** Whether asking elsewhere is of no use. */
const isFinal = (error: unknown): boolean => isAnswerOfNode(error) || hasCode(error, 'Forbidden', 'Invalid');

class Routes implements Router {
  readonly #deps: RouterDeps;

  constructor(deps: RouterDeps) {
    this.#deps = deps;
  }

  open(target: Target, signal: AbortSignal): Promise<Opened> {
    return this.#within(target, signal, (inner) => this.#open(target, inner));
  }

  async #open(target: Target, signal: AbortSignal): Promise<Opened> {
    const silent = new Set<string>();
    let failure: unknown;
    while (silent.size < maxEndpoints) {
      const { rule, route } = resolve(target, { ...this.#deps, silent });
      if (route.kind === 'refused' && failure !== undefined) break;
      try {
        return await this.#follow(rule, route, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (rule !== 'service' || route.kind !== 'edge' || isFinal(error)) throw error;
        silent.add(route.node);
        failure = error;
      }
    }
    throw failure;
  }

  async #follow(rule: StreamOutcome['rule'], route: Route, signal: AbortSignal): Promise<Opened> {
    switch (route.kind) {
      case 'edge':
        return this.#counted(rule, () => this.#edge(route.node, route.target, signal));
      case 'direct':
        return this.#counted(rule, () => this.#direct(route.target, signal));
      case 'refused':
        this.#count({ rule, way: 'none', outcome: 'refused' });
        throw new SelvedgeError(route.reason, { code: 'Forbidden' });
    }
  }

  openNode(node: string, target: Target, signal: AbortSignal): Promise<Opened> {
    return this.#within(target, signal, (inner) =>
      this.#counted('node', () => this.#edge(node, target, inner)),
    );
  }

  #within(
    target: Target,
    signal: AbortSignal,
    open: (signal: AbortSignal) => Promise<Opened>,
  ): Promise<Opened> {
    const within = { what: `opening a stream to ${formatTarget(target)}`, timeoutMs: openMs, signal };
    return withDeadline(within, this.#deps.clock, open);
  }

  openHere(node: string, target: Target, signal: AbortSignal): Promise<Opened> {
    return this.#counted('relayed', () => this.#tunnel(node, target, signal));
  }

  openDirect(target: Target, signal: AbortSignal): Promise<Opened> {
    return this.#counted('node', () => this.#direct(target, signal));
  }

  async #edge(node: string, target: Target, signal: AbortSignal): Promise<Reached> {
    let failure: unknown = new SelvedgeError(`node ${node} is not connected`, { code: 'Unavailable' });
    if (this.#deps.tunnel.reaches(node)) {
      try {
        return await this.#tunnel(node, target, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (isFinal(error)) throw error;
        failure = error;
      }
    }
    return this.#relayed({ node, target, signal }, failure);
  }

  async #tunnel(node: string, target: Target, signal: AbortSignal): Promise<Reached> {
    const stream = await this.#deps.tunnel.open({ peer: node, target: formatTarget(target), signal });
    return { stream, way: 'tunnel' };
  }

  /** Rejects with the last failure; `failure` where nobody can be asked. */
  async #relayed(asked: Asked, failure: unknown): Promise<Reached> {
    const { holders, relay, log } = this.#deps;
    let last = failure;
    for (const { server, egress } of holders(asked.node)) {
      if (egress === undefined || relay === undefined) continue;
      try {
        return { stream: await relay({ ...asked, address: egress }), way: 'relay' };
      } catch (error) {
        asked.signal.throwIfAborted();
        if (isFinal(error)) throw error;
        log.debug('relay failed', { node: asked.node, server, error });
        last = error;
      }
    }
    throw last;
  }

  async #direct(target: Target, signal: AbortSignal): Promise<Reached> {
    return { stream: await this.#deps.dial(target, signal), way: 'direct' };
  }

  async #counted(rule: StreamOutcome['rule'], reach: () => Promise<Reached>): Promise<Opened> {
    const { clock, metrics } = this.#deps;
    const begun = clock.monotonicMs();
    try {
      const { stream, way } = await reach();
      metrics.openSeconds.observe((clock.monotonicMs() - begun) / 1_000, { way });
      this.#count({ rule, way, outcome: 'opened' });
      return { stream, rule };
    } catch (error) {
      const outcome = hasCode(error, 'ResourceExhausted') ? 'limited' : 'failed';
      this.#count({ rule, way: 'none', outcome: hasCode(error, 'Forbidden') ? 'refused' : outcome });
      throw error;
    }
  }

  #count(outcome: StreamOutcome): void {
    this.#deps.metrics.streams.add({ ...outcome });
  }
}

export function createRouter(deps: RouterDeps): Router {
  return new Routes(deps);
}
