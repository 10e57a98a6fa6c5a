import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  SelvedgeError,
  createTaskGroup,
  raceAbort,
  type Clock,
  type Logger,
  type TaskGroup,
} from '@selvedge/kit';
import { broken, dialBytes, type DialTarget } from '@selvedge/kit/net';
import type { Credentials } from '../credentials.ts';
import type { KubeMetrics } from '../metrics.ts';
import { dial, refuseCleartext, type DialOptions, type Dialled } from './dial.ts';
import { Http1Connection } from './http1-connection.ts';
import { Http2Connection } from './http2-connection.ts';
import type { HttpConnection, HttpRequest, HttpTimeouts, Upgraded } from './types.ts';
import { upgrade } from './upgrade.ts';

export interface LinkOptions extends DialTarget {
  readonly timeouts: HttpTimeouts;
  readonly serverName?: string | undefined;
  /** HTTP/2 connections of one identity at a time, those that drain and the reserved one not counted. */
  readonly maxConnections: number;
  /** HTTP/1.1 sockets at a time, where the server has no HTTP/2. */
  readonly maxSockets: number;
  readonly drainMs: number;
  readonly pingIdle: boolean;
}

export interface LinkDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Pick<KubeMetrics, 'dials'>;
  /** Told of a connection that is gone; `error` unless one of the two ends closed it on purpose. */
  readonly onClosed?: ((server: string, error: unknown) => void) | undefined;
}

type Asked = Pick<HttpRequest, 'longRunning' | 'signal'>;

/** What a connection is for. */
interface Slot {
  /** Whose it is: see `Credentials`. */
  readonly holder: string;
  readonly identity: string;
  /** For calls that are no watches. */
  readonly reserved: boolean;
}

interface Held extends Slot {
  readonly connection: HttpConnection;
}

const keyOf = ({ holder, identity, reserved }: Slot): string => `${identity} ${reserved} ${holder}`;

const sameOwner = (a: Slot, b: Omit<Slot, 'reserved'>): boolean =>
  a.holder === b.holder && a.identity === b.identity;

/** What a connection is bound to: the certificates, not the bearer token. */
function identityOf({ clientCertificate: pair, certificateAuthority = '' }: Credentials): string {
  const hash = createHash('sha256').update(certificateAuthority).update('\0');
  if (pair !== undefined) hash.update(pair.certificate).update('\0').update(pair.privateKey);
  return hash.digest('hex');
}

/**
 * The connections to one server: for each holder one, as long as it can take requests and its certificate stays the same.
 * When all of a holder are full, his calls that are no watches get one of their own: a Lease is renewed however much is
 * watched.
 */
export class ServerLink {
  readonly url: URL;
  readonly #options: LinkOptions;
  readonly #deps: LinkDeps;
  readonly #tasks: TaskGroup;
  readonly #held = new Set<Held>();
  readonly #dialling = new Map<string, Promise<HttpConnection>>();
  readonly #identities = new WeakMap<Credentials, string>();
  readonly #sockets = new Set<Duplex>();
  #closed = false;

  constructor(options: LinkOptions, deps: LinkDeps) {
    this.url = options.url;
    this.#options = options;
    this.#deps = deps;
    this.#tasks = createTaskGroup({ name: `link ${options.url.host}` }, { onFailure: () => undefined });
  }

  /**
   * A connection that can take the request now. Callers that come while one is being dialled share it. Throws
   * `ResourceExhausted` when all are full, `Invalid` for credentials over `http:`, and as `dial`.
   */
  async connection(credentials: Credentials, request: Asked): Promise<HttpConnection> {
    request.signal.throwIfAborted();
    refuseCleartext(this.url, credentials);
    const owner = { holder: credentials.holder ?? '', identity: this.#identity(credentials) };
    for (const held of this.#held) {
      const admitted = !held.reserved || request.longRunning !== true;
      if (sameOwner(held, owner) && admitted && held.connection.usable) return held.connection;
    }
    const slot = { ...owner, reserved: this.#wantsReserve(owner, request) };
    const dialling = this.#dialling.get(keyOf(slot)) ?? this.#dialShared(slot, credentials);
    const connection = await raceAbort(dialling, request.signal);
    return connection.usable ? connection : this.connection(credentials, request);
  }

  /** Whether there is a connection that takes requests. */
  get connected(): boolean {
    return [...this.#held].some(({ connection }) => connection.open);
  }

  /** A request for another protocol, over a connection of its own. Throws as `dial` and `HttpConnection.request`. */
  async upgrade(credentials: Credentials, request: HttpRequest): Promise<Upgraded> {
    refuseCleartext(this.url, credentials);
    const { socket } = await this.#dial(credentials, request.signal, ['http/1.1']);
    this.#own(socket);
    const { url, timeouts } = this.#options;
    return upgrade({ url, timeouts, request }, { clock: this.#deps.clock, socket });
  }

  /** A bare connection. Throws as `dial`. */
  async dialRaw(signal: AbortSignal): Promise<Duplex> {
    this.#deps.metrics.dials.add();
    const socket = await dialBytes(this.#options, this.#deps.clock, signal);
    this.#own(socket);
    return socket;
  }

  /** Connections take no more requests; the next one opens a new connection. */
  renew(): void {
    for (const { connection } of this.#held) connection.drain();
  }

  /** Breaks all connections; requests under way fail. New ones open new connections. */
  abandon(): void {
    for (const { connection } of this.#held) connection.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Closes all connections; requests under way fail. */
  async close(): Promise<void> {
    const closed = [...this.#held].map(({ connection }) => connection.closed);
    this.#closed = true;
    this.abandon();
    await this.#tasks.stop();
    await Promise.all(closed);
  }

  /** Sockets that are given away are closed with the link. */
  #own(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    if (this.#closed) socket.destroy();
  }

  #identity(credentials: Credentials): string {
    const known = this.#identities.get(credentials) ?? identityOf(credentials);
    this.#identities.set(credentials, known);
    return known;
  }

  /** Whether another connection would be the reserved one. */
  #wantsReserve(owner: Omit<Slot, 'reserved'>, { longRunning }: Asked): boolean {
    const { maxConnections } = this.#options;
    const open = [...this.#held].filter((held) => sameOwner(held, owner) && held.connection.open);
    const reserves = open.filter(({ reserved }) => reserved).length;
    if (open.length - reserves < maxConnections) return false;
    if (longRunning !== true && reserves === 0) return true;
    const message = `all ${open.length} connections to ${this.url.host} are full`;
    throw new SelvedgeError(message, { code: 'ResourceExhausted' });
  }

  #dialShared(slot: Slot, credentials: Credentials): Promise<HttpConnection> {
    const { promise, resolve, reject } = Promise.withResolvers<HttpConnection>();
    this.#dialling.set(keyOf(slot), promise);
    this.#tasks.run('dial', async (signal) => {
      try {
        const connection = await this.#open(credentials, signal);
        this.#keep({ ...slot, connection });
        resolve(connection);
      } catch (error) {
        reject(error);
      } finally {
        this.#dialling.delete(keyOf(slot));
      }
    });
    if (this.#tasks.signal.aborted) reject(broken(this.url.host));
    return promise;
  }

  #dial(
    credentials: Credentials,
    signal: AbortSignal,
    protocols?: DialOptions['protocols'],
  ): Promise<Dialled> {
    this.#deps.metrics.dials.add();
    const chosen = protocols === undefined ? {} : { protocols };
    return dial({ ...this.#options, ...chosen, credentials }, this.#deps.clock, signal);
  }

  async #open(credentials: Credentials, signal: AbortSignal): Promise<HttpConnection> {
    const { clock } = this.#deps;
    const { socket, protocol } = await this.#dial(credentials, signal);
    if (protocol === 'h2') {
      const vouched = (one: HttpConnection): boolean => this.#vouches(one);
      return Http2Connection.open(this.#options, { clock, socket, vouched }, signal);
    }
    const redial = async (): Promise<Socket> => (await this.#dial(credentials, signal)).socket;
    return new Http1Connection(this.#options, { clock, socket, redial });
  }

  /** Whether the eldest connection, which is another one, has been heard of lately. */
  #vouches(connection: HttpConnection): boolean {
    const eldest = [...this.#held].find((held) => held.connection.open)?.connection;
    if (eldest === undefined || eldest === connection) return false;
    const { quietMs, pingMs } = this.#options.timeouts;
    return this.#deps.clock.monotonicMs() - eldest.heardMs < quietMs + pingMs;
  }

  #keep(held: Held): void {
    for (const old of this.#held) {
      if (old.holder === held.holder && old.identity !== held.identity) old.connection.drain();
    }
    this.#held.add(held);
    this.#deps.log.debug('connected', { server: this.url.host, connections: this.#held.size });
    void held.connection.closed.then((error) => {
      this.#held.delete(held);
      this.#deps.log.debug('connection closed', { server: this.url.host, connections: this.#held.size });
      if (!this.#closed) this.#deps.onClosed?.(this.url.host, error);
    });
  }
}
