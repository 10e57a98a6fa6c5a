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
import { dial } from './dial.ts';
import { Http1Connection } from './http1-connection.ts';
import { Http2Connection } from './http2-connection.ts';
import { broken } from './stream.ts';
import type { HttpConnection, HttpTimeouts } from './types.ts';

export interface LinkOptions {
  readonly url: URL;
  readonly timeouts: HttpTimeouts;
  readonly serverName?: string | undefined;
  /** HTTP/2 connections at a time, those that drain not counted. */
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

interface Held {
  readonly identity: string;
  readonly connection: HttpConnection;
}

/** What a connection is bound to: the certificates, not the bearer token. */
function identityOf({ clientCertificate: pair, certificateAuthority = '' }: Credentials): string {
  const hash = createHash('sha256').update(certificateAuthority).update('\0');
  if (pair !== undefined) hash.update(pair.certificate).update('\0').update(pair.privateKey);
  return hash.digest('hex');
}

/** The connections to one server: one, as long as it can take requests and the identity stays the same. */
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

  /** A connection that can take a request now. Callers that come while one is being dialled share it. */
  async connection(credentials: Credentials, signal: AbortSignal): Promise<HttpConnection> {
    signal.throwIfAborted();
    const identity = this.#identity(credentials);
    for (const held of this.#held) {
      if (held.identity === identity && held.connection.usable) return held.connection;
    }
    const dialling = this.#dialling.get(identity) ?? this.#dialShared(identity, credentials);
    const connection = await raceAbort(dialling, signal);
    return connection.usable ? connection : this.connection(credentials, signal);
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

  #dialShared(identity: string, credentials: Credentials): Promise<HttpConnection> {
    const { promise, resolve, reject } = Promise.withResolvers<HttpConnection>();
    this.#dialling.set(identity, promise);
    this.#tasks.run('dial', async (signal) => {
      try {
        const connection = await this.#open(credentials, signal);
        this.#keep({ identity, connection });
        resolve(connection);
      } catch (error) {
        reject(error);
      } finally {
        this.#dialling.delete(identity);
      }
    });
    if (this.#tasks.signal.aborted) reject(broken(this.url.host));
    return promise;
  }

  async #open(credentials: Credentials, signal: AbortSignal): Promise<HttpConnection> {
    const { url, timeouts, drainMs, maxSockets, maxConnections } = this.#options;
    const { clock, metrics } = this.#deps;
    const full = [...this.#held].filter(({ connection }) => connection.open);
    if (full.length >= maxConnections) {
      const message = `all ${maxConnections} connections to ${url.host} are full`;
      throw new SelvedgeError(message, { code: 'ResourceExhausted' });
    }
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
