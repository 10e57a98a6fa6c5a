import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from 'node:http2';
import type { Socket } from 'node:net';
import {
  SelvedgeError,
  createTaskGroup,
  hasCode,
  withDeadline,
  type Clock,
  type TaskGroup,
} from '@selvedge/kit';
import { broken, destroyOnAbort, refused, watchLink } from '@selvedge/kit/net';
import { Http2Body } from './http2-body.ts';
import type { HttpConnection, HttpRequest, HttpResponse, HttpTimeouts } from './types.ts';

export interface Http2Options {
  readonly url: URL;
  readonly timeouts: HttpTimeouts;
  /** How long requests under way may go on after `drain()`, in milliseconds. */
  readonly drainMs: number;
  /** Whether it is pinged while nobody waits for an answer, too. */
  readonly pingIdle: boolean;
}

export interface Http2Deps {
  readonly clock: Clock;
  /** A connected socket on which `h2` was agreed. Taken over. */
  readonly socket: Socket;
  /** Whether another connection to the server is known to be alive. */
  readonly vouched: (connection: HttpConnection) => boolean;
}

type Head = IncomingHttpHeaders & IncomingHttpStatusHeader;

/** A reader that stops holds at most this much of its own stream, and nothing of the others. */
const streamWindowBytes = 256 * 1024;
const connectionWindowBytes = 4 * 1024 * 1024;
const maxMisses = 2;
/** TCP's own probes of a connection that is always pinged would only add to its bytes. */
const pingedKeepAliveMs = 600_000;

function headOf(stream: ClientHttp2Stream, host: string): Promise<Head> {
  return new Promise((resolve, reject) => {
    let failure: unknown;
    stream.on('error', (error) => (failure = error));
    stream.once('response', resolve);
    stream.once('close', () => {
      const isRefused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
      if (failure instanceof SelvedgeError) reject(failure);
      else reject(isRefused ? refused(host, failure) : broken(host, failure));
    });
  });
}

function responseOf(stream: ClientHttp2Stream, head: Head, host: string): HttpResponse {
  return {
    status: head[':status'] ?? 0,
    headers: head,
    body: new Http2Body(stream, host),
    checkComplete() {
      if (stream.aborted || (stream.closed && stream.rstCode !== constants.NGHTTP2_NO_ERROR))
        throw broken(host);
    },
  };
}

/**
 * One multiplexed HTTP/2 connection. When it is silent while in use it is pinged, and given up without an answer; one
 * whose calls run into their deadlines takes no more of them. Of several to one server the eldest is pinged for all.
 */
export class Http2Connection implements HttpConnection {
  readonly #session: ClientHttp2Session;
  readonly #options: Http2Options;
  readonly #deps: Http2Deps;
  readonly #tasks: TaskGroup;
  readonly closed: Promise<unknown>;
  #streams = 0;
  /** Requests without an answer yet. */
  #awaited = 0;
  #heardMs = -Infinity;
  #misses = 0;
  /** It is closed on purpose, by one of the two ends. */
  #leaving = false;
  #failure: unknown;

  private constructor(options: Http2Options, deps: Http2Deps) {
    this.#options = options;
    this.#deps = deps;
    this.#tasks = createTaskGroup({ name: 'http2' }, { onFailure: (error) => this.#giveUp(error) });
    this.#session = connect(options.url.origin, {
      createConnection: () => deps.socket,
      settings: { enablePush: false, initialWindowSize: streamWindowBytes },
    });
    this.#session.on('error', (error) => this.#fail(error));
    this.#session.once('goaway', () => this.drain());
    deps.socket.once('close', () => this.#giveUp(undefined));
    this.closed = new Promise((resolve) => {
      this.#session.once('close', resolve);
    }).then(async () => {
      this.#fail(undefined);
      await this.#tasks.stop();
      return this.#failure;
    });
  }

  /** Resolves once the server's settings are known. */
  static async open(options: Http2Options, deps: Http2Deps, signal: AbortSignal): Promise<Http2Connection> {
    const connection = new Http2Connection(options, deps);
    try {
      await connection.#settled(signal);
      connection.#session.setLocalWindowSize(connectionWindowBytes);
    } catch (error) {
      connection.destroy();
      throw error;
    }
    if (options.pingIdle) deps.socket.setKeepAlive(true, pingedKeepAliveMs);
    connection.#tasks.run('ping', (inner) => connection.#watchLink(inner));
    return connection;
  }

  get open(): boolean {
    return !this.#session.closed && !this.#session.destroyed && !this.#leaving;
  }

  get heardMs(): number {
    return this.#heardMs;
  }

  get usable(): boolean {
    return this.open && this.#streams < (this.#session.remoteSettings.maxConcurrentStreams ?? 100);
  }

  async request(request: HttpRequest): Promise<HttpResponse> {
    const { host } = this.#options.url;
    const asked = { atMs: this.#deps.clock.monotonicMs(), bytesRead: this.#deps.socket.bytesRead };
    const stream = this.#start(request);
    const wait = {
      what: `the answer of ${host}`,
      timeoutMs: this.#options.timeouts.firstByteMs,
      signal: request.signal,
    };
    this.#awaited += 1;
    try {
      const head = await withDeadline(wait, this.#deps.clock, () => headOf(stream, host));
      this.#misses = 0;
      return responseOf(stream, head, host);
    } catch (error) {
      stream.close(constants.NGHTTP2_CANCEL);
      stream.destroy();
      if (hasCode(error, 'DeadlineExceeded')) this.#missed(asked);
      throw error;
    } finally {
      this.#awaited -= 1;
    }
  }

  drain(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    this.#session.close();
    this.#tasks.run('drain', async (signal) => {
      await this.#deps.clock.sleep(this.#options.drainMs, signal);
      this.destroy();
    });
  }

  destroy(): void {
    this.#leaving = true;
    this.#end(undefined);
  }

  #giveUp(cause: unknown): void {
    this.#fail(cause);
    this.#end(cause);
  }

  /** The first cause counts. */
  #fail(cause: unknown): void {
    if (!this.#leaving) this.#failure ??= broken(this.#options.url.host, cause);
  }

  #end(cause: unknown): void {
    // With an error: else the bodies under way would end as if they were complete.
    this.#session.destroy(broken(this.#options.url.host, cause));
    this.#deps.socket.destroy();
  }

  #settled(signal: AbortSignal): Promise<void> {
    const { timeouts, url } = this.#options;
    const wait = { what: `HTTP/2 settings of ${url.host}`, timeoutMs: timeouts.handshakeMs, signal };
    return withDeadline(wait, this.#deps.clock, async () => {
      const settings = new Promise<void>((resolve) => {
        this.#session.once('remoteSettings', () => resolve());
      });
      const ended = this.closed.then(() => {
        throw broken(url.host);
      });
      await Promise.race([settings, ended]);
    });
  }

  #start({ method, path, headers, body, signal }: HttpRequest): ClientHttp2Stream {
    const pseudo = { ':method': method, ':path': path, ':authority': this.#options.url.host };
    let stream: ClientHttp2Stream;
    try {
      stream = this.#session.request({ ...headers, ...pseudo }, { endStream: body === undefined });
    } catch (cause) {
      throw refused(this.#options.url.host, cause);
    }
    this.#streams += 1;
    stream.once('close', () => {
      this.#streams -= 1;
    });
    destroyOnAbort(stream, signal, (error) => {
      stream.close(constants.NGHTTP2_CANCEL);
      stream.destroy(error);
    });
    if (body !== undefined) stream.end(body);
    return stream;
  }

  /**
   * A call was not answered in time. The second in a row, with no answer to any other in between, ends the reuse of the
   * connection: at once if it was dead silent, else what goes on over it, watches say, may stay until it has drained.
   */
  #missed(asked: { readonly atMs: number; readonly bytesRead: number }): void {
    const { clock, socket } = this.#deps;
    // Less time than a ping is given says nothing about the connection.
    if (clock.monotonicMs() - asked.atMs < this.#options.timeouts.pingMs) return;
    this.#misses += 1;
    if (this.#misses < maxMisses) return;
    if (socket.bytesRead === asked.bytesRead) this.#giveUp(undefined);
    else this.drain();
  }

  #watchLink(signal: AbortSignal): Promise<never> {
    const { clock, socket, vouched } = this.#deps;
    const pulse = {
      bytesHeard: () => socket.bytesRead,
      inUse: () => this.#options.pingIdle || this.#streams > 0,
      vouched: () => this.#awaited === 0 && vouched(this),
      heard: (atMs: number) => (this.#heardMs = atMs),
      ping: () => this.#ping(),
    };
    return watchLink({ ...this.#options.timeouts, host: this.#options.url.host }, pulse, { clock, signal });
  }

  #ping(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#session.ping((error) => (error === null ? resolve() : reject(error)));
    });
  }
}
