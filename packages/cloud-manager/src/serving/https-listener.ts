import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Server, createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import {
  SelvedgeError,
  type Clock,
  type Logger,
  type Service,
  createTaskGroup,
  hasCode,
  raceAbort,
  withDeadline,
} from '@selvedge/kit';
import type { Address } from '../config/index.ts';
import { type Connections, type Turn, createConnections } from './connections.ts';
import type { PemFiles } from './pem-files.ts';

/** One answer. */
export interface Reply {
  readonly status: number;
  readonly body: string;
  /** Default `text/plain; charset=utf-8`. */
  readonly contentType?: string;
}

/** Rejects with nothing but what it did not expect: that is a 500 without words. The signal aborts with the connection. */
export type Handler = (request: IncomingMessage, signal: AbortSignal) => Promise<Reply>;

export interface HttpsListenerOptions {
  readonly name: string;
  readonly listen: Address;
  /**
   * `required`: who has no certificate of the files' client CA is not heard. `optional`: a certificate is asked for, and
   * the handler judges it.
   */
  readonly clientCertificate: 'required' | 'optional';
  /** Default 256. */
  readonly maxConnections?: number;
}

export interface HttpsListenerDeps {
  readonly pem: PemFiles;
  readonly clock: Clock;
  readonly log: Logger;
  readonly handler: Handler;
}

export interface HttpsListener extends Service {
  /** Once started. */
  readonly port: number;
}

const limits = {
  handshakeMs: 10_000,
  headersMs: 10_000,
  requestMs: 30_000,
  idleMs: 90_000,
  headerBytes: 32_768,
  connections: 256,
  /** Requests of one connection, the one that is being answered among them. */
  pipelined: 4,
};
/** For what is under way when it stops. */
const drainMs = 2_000;

const internalError: Reply = { status: 500, body: 'internal error\n' };

function contextOf(pem: PemFiles, mode: HttpsListenerOptions['clientCertificate']): SecureContextOptions {
  const { certificate, privateKey, clientCa } = pem.current;
  const ca = mode === 'required' && clientCa !== undefined ? { ca: clientCa } : {};
  return { cert: certificate, key: privateKey, minVersion: 'TLSv1.2', ...ca };
}

function send(response: ServerResponse, { status, body, contentType }: Reply): void {
  const length = Buffer.byteLength(body);
  const type = contentType ?? 'text/plain; charset=utf-8';
  response.writeHead(status, { 'content-type': type, 'content-length': length, 'cache-control': 'no-store' });
  response.end(body);
}

class Listener implements HttpsListener {
  readonly name: string;
  readonly #options: HttpsListenerOptions;
  readonly #deps: HttpsListenerDeps;
  readonly #maxConnections: number;
  readonly #tasks;
  readonly #connections: Connections;
  /** Connections, those that have not shown who they are among them: the server itself knows only the others. */
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #onChange: Disposable | undefined;

  constructor(options: HttpsListenerOptions, deps: HttpsListenerDeps) {
    this.name = options.name;
    this.#options = options;
    this.#deps = deps;
    this.#maxConnections = options.maxConnections ?? limits.connections;
    this.#tasks = createTaskGroup(
      { name: options.name, maxTasks: this.#maxConnections * limits.pipelined },
      { onFailure: (error) => deps.log.debug('request broke off', { listener: options.name, error }) },
    );
    this.#connections = createConnections(limits.pipelined, this.#tasks.signal);
  }

  get port(): number {
    const address = this.#server?.address() as AddressInfo | null | undefined;
    return address?.port ?? 0;
  }

  async start(signal: AbortSignal): Promise<void> {
    const { clientCertificate: mode, listen } = this.#options;
    const { pem, log } = this.#deps;
    const server = createServer({
      ...contextOf(pem, mode),
      requestCert: true,
      rejectUnauthorized: mode === 'required',
      handshakeTimeout: limits.handshakeMs,
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.idleMs,
    });
    this.#server = server;
    server.maxConnections = this.#maxConnections;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('tlsClientError', (error, socket) => {
      log.debug('TLS handshake failed', { listener: this.name, error });
      socket.destroy();
    });
    server.on('request', (request, response) => this.#take(request, response));
    this.#onChange = pem.onChange(() => server.setSecureContext(contextOf(pem, mode)));
    const listening = once(server, 'listening');
    server.listen(listen);
    try {
      await raceAbort(listening, signal);
    } catch (cause) {
      signal.throwIfAborted();
      const message = `${this.name} cannot listen on ${listen.host} port ${listen.port}`;
      throw new SelvedgeError(message, { code: 'Unavailable', cause });
    }
    log.info('listening', { listener: this.name, host: listen.host, port: this.port });
  }

  /** Answers what is under way, for two seconds at most. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#onChange?.[Symbol.dispose]();
    if (server?.listening === true) {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      const within = { what: `${this.name}'s requests`, timeoutMs: drainMs };
      await withDeadline(within, this.#deps.clock, () => this.#tasks.idle()).catch((error: unknown) => {
        if (!hasCode(error, 'DeadlineExceeded')) throw error;
      });
      for (const socket of this.#sockets) socket.destroy();
      await closed;
    }
    await this.#tasks.stop();
  }

  /** Where there are too many requests the connection ends. */
  #take(request: IncomingMessage, response: ServerResponse): void {
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    const turn = this.#connections.join(request.socket);
    if (turn === undefined) {
      request.socket.destroy();
      return;
    }
    try {
      const task = `${request.method ?? ''} ${request.url ?? ''}`;
      this.#tasks.run(task, () => this.#serve(request, response, turn));
    } catch (error) {
      this.#deps.log.debug('request refused', { listener: this.name, error });
      request.socket.destroy();
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse, turn: Turn): Promise<void> {
    using held = turn;
    const { comes, signal } = held;
    await raceAbort(comes, signal);
    const reply = await this.#answer(request, signal);
    signal.throwIfAborted();
    send(response, reply);
    if (!response.writableFinished && !response.destroyed) await once(response, 'close', { signal });
  }

  async #answer(request: IncomingMessage, signal: AbortSignal): Promise<Reply> {
    try {
      return await this.#deps.handler(request, signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#deps.log.error('request failed', { listener: this.name, error });
      return internalError;
    }
  }
}

/** HTTPS for few small requests. The certificate is replaced between two connections. */
export function createHttpsListener(options: HttpsListenerOptions, deps: HttpsListenerDeps): HttpsListener {
  return new Listener(options, deps);
}
