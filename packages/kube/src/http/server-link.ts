import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  SelvedgeError,
  createTaskGroup,
  raceAbort,
  type Clock,
  type Logger,
  type TaskGroup,
} from '@selvedge/kit';
import type { Credentials } from '../credentials.ts';
import type { KubeMetrics } from '../metrics.ts';
import { dial, refuseCleartext } from './dial.ts';
import { Http1Connection } from './http1-connection.ts';
import { Http2Connection } from './http2-connection.ts';
import { broken } from './stream.ts';
import type { HttpConnection, HttpRequest, HttpTimeouts } from './types.ts';

export interface LinkOptions {
  readonly url: URL;
  readonly timeouts: HttpTimeouts;
  readonly serverName?: string | undefined;
  /** HTTP/2 connections at a time, those that drain and the reserved one not counted. */
  readonly maxConnections: number;
  /** HTTP/1.1 sockets at a time, where the server has no HTTP/2. */
  readonly maxSockets: number;
  readonly drainMs: number;
}

export interface LinkDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: KubeMetrics;
}

type Asked = Pick<HttpRequest, 'longRunning' | 'signal'>;

/** What a connection is for. */
interface Slot {
  readonly identity: string;
  /** For calls that are no watches. */
  readonly reserved: boolean;
}

interface Held extends Slot {
  readonly connection: HttpConnection;
}

const keyOf = ({ identity, reserved }: Slot): string => `${identity} ${reserved}`;

/** What a connection is bound to: the certificates, not the bearer token. */
function identityOf({ clientCertificate: pair, certificateAuthority = '' }: Credentials): string {
  const hash = createHash('sha256').update(certificateAuthority).update('\0');
  if (pair !== undefined) hash.update(pair.certificate).update('\0').update(pair.privateKey);
  return hash.digest('hex');
}

/**
 * The connections to one server: one, as long as it can take requests and the identity stays the same. When all are
 * full, calls that are no watches get one of their own: a Lease is renewed however much is watched.
 */
export class ServerLink {
  readonly url: URL;
  readonly #options: LinkOptions;
  readonly #deps: LinkDeps;
  readonly #tasks: TaskGroup;
  readonly #held = new Set<Held>();
  readonly #dialling = new Map<string, Promise<HttpConnection>>();
  readonly #identities = new WeakMap<Credentials, string>();

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
    const identity = this.#identity(credentials);
    for (const { connection, ...held } of this.#held) {
      const admitted = !held.reserved || request.longRunning !== true;
      if (held.identity === identity && admitted && connection.usable) return connection;
    }
    const slot = { identity, reserved: this.#wantsReserve(request) };
    const dialling = this.#dialling.get(keyOf(slot)) ?? this.#dialShared(slot, credentials);
    const connection = await raceAbort(dialling, request.signal);
    return connection.usable ? connection : this.connection(credentials, request);
  }

  /** Closes all connections; requests under way fail. */
  async close(): Promise<void> {
    const closed = [...this.#held].map(({ connection }) => connection.closed);
    for (const { connection } of this.#held) connection.destroy();
    await this.#tasks.stop();
    await Promise.all(closed);
  }

  #identity(credentials: Credentials): string {
    const known = this.#identities.get(credentials) ?? identityOf(credentials);
    this.#identities.set(credentials, known);
    return known;
  }

  /** Whether another connection would be the reserved one. */
  #wantsReserve({ longRunning }: Asked): boolean {
    const { maxConnections } = this.#options;
    const open = [...this.#held].filter(({ connection }) => connection.open);
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

  async #open(credentials: Credentials, signal: AbortSignal): Promise<HttpConnection> {
    const { url, timeouts, drainMs, maxSockets } = this.#options;
    const { clock, metrics } = this.#deps;
    const redial = (): ReturnType<typeof dial> => {
      metrics.dials.add();
      return dial({ ...this.#options, credentials }, clock, signal);
    };
    const { socket, protocol } = await redial();
    if (protocol === 'h2') return Http2Connection.open({ url, timeouts, drainMs }, { clock, socket }, signal);
    const another = async (): Promise<Socket> => (await redial()).socket;
    return new Http1Connection({ url, timeouts, drainMs, maxSockets }, { clock, socket, redial: another });
  }

  #keep(held: Held): void {
    for (const old of this.#held) {
      if (old.identity !== held.identity) old.connection.drain();
    }
    this.#held.add(held);
    this.#deps.log.debug('connected', { server: this.url.host, connections: this.#held.size });
    void held.connection.closed.then(() => {
      this.#held.delete(held);
      this.#deps.log.debug('connection closed', { server: this.url.host, connections: this.#held.size });
    });
  }
}
