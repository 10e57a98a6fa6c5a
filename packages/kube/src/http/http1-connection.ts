import { Agent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { SelvedgeError, createTaskGroup, withDeadline, type Clock, type TaskGroup } from '@selvedge/kit';
import { broken, destroyOnAbort } from '@selvedge/kit/net';
import type { HttpConnection, HttpRequest, HttpResponse, HttpTimeouts } from './types.ts';

export interface Http1Options {
  readonly url: URL;
  readonly timeouts: HttpTimeouts;
  /** Sockets at a time; further requests wait. */
  readonly maxSockets: number;
  /** How long requests under way may go on after `drain()`, in milliseconds. */
  readonly drainMs: number;
}

export interface Http1Deps {
  readonly clock: Clock;
  /** A connected socket, used first. */
  readonly socket: Socket;
  /** Opens another one to the same server with the same identity. */
  readonly redial: () => Promise<Socket>;
}

type Connected = (error: Error | null, socket: Duplex) => void;

/** Keeps sockets for reuse until it drains. */
class SocketPool extends Agent {
  readonly #redial: () => Promise<Socket>;
  #first: Socket | undefined;
  draining = false;

  constructor(maxSockets: number, deps: Http1Deps) {
    super({ keepAlive: true, maxSockets, maxFreeSockets: 2 });
    this.#first = deps.socket;
    this.#redial = deps.redial;
  }

  override createConnection(_options: unknown, callback?: Connected): Duplex | undefined {
    const first = this.#first;
    this.#first = undefined;
    if (first?.destroyed === false) return first;
    const report = callback as (error: Error | null, socket?: Duplex) => void;
    this.#redial().then(
      (socket) => report(null, socket),
      (error: unknown) => report(broken('the server', error)),
    );
    return undefined;
  }

  override keepSocketAlive(socket: Duplex): boolean {
    if (this.draining) return false;
    super.keepSocketAlive(socket);
    return true;
  }

  closeIdle(): void {
    for (const sockets of Object.values(this.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy();
    }
    this.#first?.destroy();
  }
}

function headOf(request: ClientRequest, host: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('error', (error) => {
      reject(error instanceof SelvedgeError ? error : broken(host, error));
    });
    request.once('response', resolve);
    request.once('close', () => {
      reject(broken(host));
    });
  });
}

function responseOf(message: IncomingMessage, host: string): HttpResponse {
  message.on('error', () => undefined);
  return {
    status: message.statusCode ?? 0,
    headers: message.headers,
    body: message,
    checkComplete() {
      if (!message.complete) throw broken(host);
    },
  };
}

/** HTTP/1.1 towards one server: a few kept-alive sockets. Used where a server does not offer HTTP/2. */
export class Http1Connection implements HttpConnection {
  readonly closed: Promise<unknown>;
  readonly heardMs = -Infinity;
  readonly #options: Http1Options;
  readonly #clock: Clock;
  readonly #pool: SocketPool;
  readonly #tasks: TaskGroup;
  readonly #ended = Promise.withResolvers<void>();
  #requests = 0;

  constructor(options: Http1Options, deps: Http1Deps) {
    this.#options = options;
    this.#clock = deps.clock;
    this.#pool = new SocketPool(options.maxSockets, deps);
    this.#tasks = createTaskGroup({ name: 'http1' }, { onFailure: () => this.destroy() });
    this.closed = this.#ended.promise.then(() => this.#tasks.stop());
  }

  get open(): boolean {
    return !this.#pool.draining;
  }

  get usable(): boolean {
    return this.open;
  }

  async request(request: HttpRequest): Promise<HttpResponse> {
    const { url, timeouts } = this.#options;
    const sent = this.#start(request);
    const wait = {
      what: `the answer of ${url.host}`,
      timeoutMs: timeouts.firstByteMs,
      signal: request.signal,
    };
    try {
      const message = await withDeadline(wait, this.#clock, () => headOf(sent, url.host));
      return responseOf(message, url.host);
    } catch (error) {
      sent.destroy();
      throw error;
    }
  }

  drain(): void {
    if (this.#pool.draining) return;
    this.#pool.draining = true;
    this.#pool.closeIdle();
    if (this.#requests === 0) this.destroy();
    this.#tasks.run('drain', async (signal) => {
      await this.#clock.sleep(this.#options.drainMs, signal);
      this.destroy();
    });
  }

  destroy(): void {
    this.#pool.draining = true;
    this.#pool.closeIdle();
    this.#pool.destroy();
    this.#ended.resolve();
  }

  #start({ method, path, headers, body, signal }: HttpRequest): ClientRequest {
    const { host, hostname } = this.#options.url;
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const request = httpRequest({
      agent: this.#pool,
      method,
      path,
      hostname,
      headers: { ...headers, ...length, host },
    });
    request.on('error', () => undefined);
    this.#requests += 1;
    request.once('close', () => {
      this.#requests -= 1;
      if (this.#pool.draining && this.#requests === 0) this.destroy();
    });
    destroyOnAbort(request, signal, (error) => request.destroy(error));
    request.end(body);
    return request;
  }
}
