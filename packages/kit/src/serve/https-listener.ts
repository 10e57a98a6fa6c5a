import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import {
  type Clock,
  type Counter,
  type Logger,
  type TaskGroup,
  aborted,
  createTaskGroup,
  scoped,
  withDeadline,
} from '../index.ts';
import { type Connections, createConnections } from './connections.ts';
import { createHttp1 } from './http1.ts';
import { createHttp2 } from './http2.ts';
import type { HttpsLimits } from './limits.ts';
import { type Listeners, type Where, openListeners } from './listeners.ts';
import { type Newcomers, createNewcomers } from './newcomers.ts';
import type { Exchange, Protocol, Sinks, Upgrade } from './protocol.ts';
import { type ClientCertificate, type Secure, type SecureDeps, createSecure } from './secure.ts';
import type { IsLocal } from './source.ts';

export interface HttpsListenerOptions {
  readonly name: string;
  /** Default: HTTP/1.1 alone. */
  readonly versions?: readonly HttpVersion[];
  /** Default `optional`. */
  readonly clientCertificate?: ClientCertificate;
  readonly limits: HttpsLimits;
}

/** As ALPN names them. */
export type HttpVersion = 'h2' | 'http/1.1';

/** What becomes of a connection that was just made. */
export type Screening =
  | { readonly kind: 'take' }
  | { readonly kind: 'refuse'; readonly reason: string }
  /** It is no TLS for this server; what it is, is run to its end, and stops with the streams. */
  | { readonly kind: 'run'; readonly work: (socket: Socket, signal: AbortSignal) => Promise<void> };

/** Serves what comes. The signals abort when the listener stops. */
export interface Serve<L> {
  /** Answers one request. Never rejects. */
  readonly exchange: (exchange: Exchange<L>, signal: AbortSignal) => Promise<void>;
  /** Serves a connection that is turned over, to its end. Never rejects. Default: none is turned over. */
  readonly upgrade?: (upgrade: Upgrade<L>, signal: AbortSignal) => Promise<void>;
  readonly isUpgrade?: (request: IncomingMessage) => boolean;
  readonly refusal: Sinks<L>['refusal'];
}

export interface HttpsListenerDeps<L> extends Pick<SecureDeps, 'clientCa' | 'failures' | 'pki'> {
  readonly serve: Serve<L>;
  /** Made once for each connection; told the CA that the client's certificate was verified against. */
  readonly linkOf: (socket: TLSSocket, clientCa: string) => L;
  /** Default: all are taken. */
  readonly screen?: (socket: Socket, at: string) => Screening;
  /** See `createConnections`. */
  readonly isLocal?: IsLocal;
  /** Why answers that have no end of their own are ended at the stop. */
  readonly stopReason?: () => Error;
  /** Connections that were not taken, by `reason`: `total`, `source`, and what `screen` says. */
  readonly refused: Counter;
  readonly clock: Clock;
  readonly log: Logger;
}

/** HTTPS with caps on all that clients can hold. Does no I/O before it is opened. */
export interface HttpsListener {
  /** Where it listens; empty while it does not. */
  readonly addresses: readonly string[];
  readonly port: number | undefined;
  readonly connections: number;
  /** Connections that were turned over, or are run. */
  readonly streams: number;
  /** Aborts at the stop, before the requests under way have their time. */
  readonly ending: AbortSignal;
  /** Rejects with `Unavailable` when an address or the port is not to be had; with `Internal` without a certificate. */
  open(where: Where, signal: AbortSignal): Promise<void>;
  /** Ends streams at once and gives requests under way `drainMs`. */
  stop(): Promise<void>;
}

const versionsOf = (protocols: ReadonlyMap<string, unknown>): readonly string[] => [...protocols.keys()];

class Listener<L extends object> implements HttpsListener {
  readonly #options: HttpsListenerOptions;
  readonly #deps: HttpsListenerDeps<L>;
  readonly #connections: Connections;
  readonly #newcomers: Newcomers;
  readonly #requests: TaskGroup;
  /** What has no end of its own. */
  readonly #streams: TaskGroup;
  readonly #ending = scoped();
  readonly #sockets = new WeakMap<L, TLSSocket>();
  #protocols: ReadonlyMap<string, Protocol<L>> = new Map();
  #listeners: Listeners | undefined;
  #secure: Secure | undefined;

  constructor(options: HttpsListenerOptions, deps: HttpsListenerDeps<L>) {
    this.#options = options;
    this.#deps = deps;
    const { limits } = options;
    this.#connections = createConnections(limits, deps.isLocal);
    this.#newcomers = createNewcomers(limits.maxNewcomers ?? limits.maxConnections);
    this.#requests = this.#createTasks('requests');
    this.#streams = this.#createTasks('streams');
  }

  get addresses(): readonly string[] {
    return this.#listeners?.addresses ?? [];
  }

  get port(): number | undefined {
    return this.#listeners?.port;
  }

  get connections(): number {
    return this.#connections.size;
  }

  get streams(): number {
    return this.#streams.size;
  }

  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  async open(where: Where, signal: AbortSignal): Promise<void> {
    const { clientCertificate = 'optional', limits } = this.#options;
    if (this.#protocols.size === 0) this.#protocols = this.#createProtocols();
    const protocols = versionsOf(this.#protocols);
    const options = { protocols, clientCertificate, handshakeMs: limits.handshakeMs };
    this.#secure ??= createSecure(options, this.#deps, (socket, ca) => this.#secured(socket, ca));
    this.#listeners = await openListeners(where, (socket, at) => this.#accept(socket, at), signal);
  }

  async stop(): Promise<void> {
    const { name } = this.#options;
    const listening = this.#listeners?.close();
    this.#secure?.[Symbol.dispose]();
    const ended = Array.from(this.#protocols.values(), (protocol) => protocol.close());
    this.#ending.abort(this.#deps.stopReason?.() ?? aborted(name));
    await this.#streams.stop();
    await this.#drain(ended);
    this.#connections.destroyAll();
    await this.#requests.stop();
    await listening;
    this.#listeners = undefined;
  }

  /** Gives what is under way, and will end, a moment for it. */
  async #drain(ended: readonly Promise<void>[]): Promise<void> {
    const { name, limits } = this.#options;
    const { drainMs } = limits;
    const deadline = { what: 'requests under way', timeoutMs: drainMs };
    try {
      await withDeadline(deadline, this.#deps.clock, async () => {
        await this.#requests.idle();
        await Promise.all(ended);
      });
    } catch {
      const requests = this.#requests.size;
      this.#deps.log.info('requests under way are broken off', { listener: name, requests, drainMs });
    }
  }

  #createTasks(what: string): TaskGroup {
    const { name, limits } = this.#options;
    const { maxConnections, maxStreams = 0, maxPipelined } = limits;
    const onFailure = (error: unknown, task: string): void =>
      this.#deps.log.error('request failed', { listener: name, task, error });
    const maxTasks = maxConnections * Math.max(maxStreams, maxPipelined);
    return createTaskGroup({ name: `${name} ${what}`, maxTasks }, { onFailure });
  }

  #createProtocols(): ReadonlyMap<string, Protocol<L>> {
    const { limits, versions = ['http/1.1'] } = this.#options;
    const { exchange, upgrade, isUpgrade, refusal } = this.#deps.serve;
    const sinks: Sinks<L> = {
      exchange: (one) => this.#asked(this.#requests, one.link, (signal) => exchange(one, signal)),
      upgrade: (one) => this.#asked(this.#streams, one.link, async (signal) => upgrade?.(one, signal)),
      isUpgrade: (request) => upgrade !== undefined && isUpgrade?.(request) === true,
      refusal,
    };
    const create = {
      h2: () => createHttp2({ ...limits, maxStreams: limits.maxStreams ?? limits.maxPipelined }, sinks),
      'http/1.1': () => createHttp1(limits, sinks),
    };
    return new Map(versions.map((version) => [version, create[version]()]));
  }

  #asked(tasks: TaskGroup, link: L, work: (signal: AbortSignal) => Promise<void>): void {
    const socket = this.#sockets.get(link);
    if (socket === undefined) return;
    this.#newcomers.remove(socket);
    this.#run(tasks, socket, work);
  }

  /** Where there are too many, those whose clients have gone among them, the connection ends. */
  #run(tasks: TaskGroup, socket: Socket, work: (signal: AbortSignal) => Promise<void>): void {
    try {
      tasks.run('request', work);
    } catch (error) {
      this.#deps.log.debug('request refused', { listener: this.#options.name, error });
      socket.destroy();
    }
  }

  #secured(socket: TLSSocket, clientCa: string): void {
    const protocol = this.#protocols.get(socket.alpnProtocol || 'http/1.1');
    if (protocol === undefined) {
      socket.destroy();
      return;
    }
    const link = this.#deps.linkOf(socket, clientCa);
    this.#sockets.set(link, socket);
    protocol.take(socket, link);
  }

  #accept(socket: Socket, at: string): void {
    const screening = this.#deps.screen?.(socket, at) ?? { kind: 'take' };
    if (screening.kind === 'refuse') {
      this.#refuse(socket, screening.reason);
      return;
    }
    const full = this.#connections.admit(socket, socket.remoteAddress ?? '');
    if (full !== undefined) this.#refuse(socket, full);
    else if (screening.kind === 'run')
      this.#run(this.#streams, socket, (signal) => screening.work(socket, signal));
    else this.#secureNow(socket);
  }

  #secureNow(socket: Socket): void {
    this.#newcomers.add(socket);
    this.#secure?.take(socket);
  }

  #refuse(socket: Socket, reason: string): void {
    const { refused, log } = this.#deps;
    refused.add({ reason });
    log.debug('connection refused', {
      listener: this.#options.name,
      reason,
      remoteAddress: socket.remoteAddress,
    });
    socket.resetAndDestroy();
  }
}

export function createHttpsListener<L extends object>(
  options: HttpsListenerOptions,
  deps: HttpsListenerDeps<L>,
): HttpsListener {
  return new Listener(options, deps);
}
