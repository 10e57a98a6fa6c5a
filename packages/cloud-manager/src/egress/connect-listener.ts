import { once } from 'node:events';
import {
  type IncomingMessage,
  type Server as HttpServer,
  type ServerOptions,
  type ServerResponse,
  createServer,
} from 'node:http';
import {
  type Server as HttpsServer,
  type ServerOptions as SecureServerOptions,
  createServer as createSecureServer,
} from 'node:https';
import type { Socket } from 'node:net';
import { type SecureContextOptions, TLSSocket } from 'node:tls';
import {
  type Logger,
  SelvedgeError,
  type Service,
  type TaskGroup,
  aborted,
  createTaskGroup,
  raceAbort,
} from '@selvedge/kit';
import { breakOff, resetAllBy } from '@selvedge/kit/net';
import { userOfCertificate } from '@selvedge/kube';
import type { Address } from '../config/index.ts';
import { createNewcomers } from '@selvedge/kit/serve';
import type { Drained } from '../drain.ts';
import type { PemFiles } from '../serving/index.ts';
import { refusalText } from './answers.ts';
import { listenUnix } from './unix-socket.ts';

/** Who may open the Unix socket, or the common name of a certificate that TLS has verified. */
export type Client = { readonly kind: 'unix' } | { readonly kind: 'certificate'; readonly name: string };

/** What a client shows that nobody has verified yet: the certificate whose key it has, in DER. */
export interface Shown {
  readonly certificate: Uint8Array | undefined;
}

/** What somebody asks for with `CONNECT`. */
export interface ConnectRequest<C = Client> {
  readonly client: C;
  /** As it was written. */
  readonly authority: string;
  readonly headers: IncomingMessage['headers'];
  readonly socket: Socket;
  /** Bytes that came behind the request. */
  readonly head: Buffer;
}

export interface ConnectListenerDeps<C = Client> {
  /** Owns the socket from then on. Rejections are logged. */
  readonly serve: (request: ConnectRequest<C>, signal: AbortSignal) => Promise<void>;
  readonly log: Logger;
  readonly limits: ConnectLimits;
}

export interface ConnectListener extends Service, Drained {
  /** TCP only, once started. */
  readonly port: number;
}

/** Caps of a listener, and how long is waited for who says nothing. See docs/limits.md. */
export interface ConnectLimits {
  /** Default 12,000. */
  readonly connections: number;
  /** Connections that have not asked for anything yet; TCP only. Default 1,000; one more costs the eldest its place. */
  readonly newcomers: number;
  /** Default 10,000. */
  readonly handshakeMs: number;
  /** For the whole head of the request. Default 10,000. */
  readonly headersMs: number;
}

export const defaultConnectLimits: ConnectLimits = {
  connections: 12_000,
  newcomers: 1_000,
  handshakeMs: 10_000,
  headersMs: 10_000,
};

const headerBytes = 8_192;

const httpOptions = ({ headersMs }: ConnectLimits): ServerOptions => ({
  maxHeaderSize: headerBytes,
  headersTimeout: headersMs,
  requestTimeout: headersMs,
  keepAliveTimeout: 1,
  connectionsCheckingInterval: headersMs / 5,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 30_000,
});

function onlyConnect(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(405, { allow: 'CONNECT', connection: 'close' }).end();
}

/** Throws `Unauthenticated`. */
function certificateClient(socket: Socket): Client {
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
  if (certificate === undefined) {
    throw new SelvedgeError('the client shows no certificate', { code: 'Unauthenticated' });
  }
  return { kind: 'certificate', name: userOfCertificate(certificate).username };
}

const shownBy = (socket: Socket): Shown => ({
  certificate: socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.raw : undefined,
});

interface Bound {
  readonly server: HttpServer | HttpsServer;
  /** Undoes what closing the server does not. */
  readonly release: () => unknown;
}

/** Makes the server and listens. */
interface Entrance<C> {
  readonly name: string;
  bind(prepare: (server: HttpServer | HttpsServer) => void, signal: AbortSignal): Promise<Bound>;
  /** Who has connected. Throws for who is nobody. */
  clientOf(socket: Socket): C;
  /** Told of each that has asked for something. */
  greeted(socket: Socket): void;
}

const drained = (): SelvedgeError =>
  new SelvedgeError('this server is being drained, another one may be asked', { code: 'Unavailable' });

class Listener<C> implements ConnectListener {
  readonly #entrance: Entrance<C>;
  readonly #deps: ConnectListenerDeps<C>;
  readonly #tasks: TaskGroup;
  /** All of them: a server does not close those that have asked for something. */
  readonly #sockets = new Set<Socket>();
  /** Those that have asked. */
  readonly #clients = new Set<Socket>();
  #bound: Bound | undefined;
  #closed: Promise<unknown> | undefined;

  constructor(entrance: Entrance<C>, deps: ConnectListenerDeps<C>) {
    this.#entrance = entrance;
    this.#deps = deps;
    const onFailure = (error: unknown): void => deps.log.error('stream failed', { error });
    this.#tasks = createTaskGroup({ name: entrance.name, maxTasks: deps.limits.connections }, { onFailure });
  }

  get name(): string {
    return this.#entrance.name;
  }

  get clients(): ReadonlySet<Socket> {
    return this.#clients;
  }

  get port(): number {
    const address = this.#bound?.server.address();
    return typeof address === 'object' ? (address?.port ?? 0) : 0;
  }

  async start(signal: AbortSignal): Promise<void> {
    try {
      this.#bound = await this.#entrance.bind((server) => this.#prepare(server), signal);
    } catch (cause) {
      signal.throwIfAborted();
      throw new SelvedgeError(`${this.name} cannot listen`, { code: 'Unavailable', cause });
    }
    const address = this.#bound.server.address();
    const where = typeof address === 'string' ? { path: address } : { ...address };
    this.#deps.log.info('listening', { listener: this.name, ...where });
  }

  async refuse(): Promise<void> {
    const { server, release } = this.#bound ?? {};
    this.#bound = undefined;
    await release?.();
    if (server?.listening === true) this.#closed = once(server.close(), 'close');
  }

  async stop(): Promise<void> {
    await this.refuse();
    await this.#tasks.stop();
    for (const socket of this.#sockets) breakOff(socket, aborted(this.name));
    await this.#closed;
  }

  #prepare(server: HttpServer | HttpsServer): void {
    server.maxConnections = this.#deps.limits.connections;
    server.on('connection', (socket: Socket) => {
      socket.on('error', () => undefined);
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('request', onlyConnect);
    server.on('connect', (request, socket, head) => this.#take(request, socket as Socket, head));
  }

  #take(request: IncomingMessage, socket: Socket, head: Buffer): void {
    socket.on('error', () => undefined);
    this.#entrance.greeted(socket);
    if (this.#closed !== undefined) {
      socket.end(refusalText(drained()), () => socket.destroy());
      return;
    }
    this.#clients.add(socket);
    socket.once('close', () => this.#clients.delete(socket));
    try {
      const { url: authority = '', headers } = request;
      const asked = { client: this.#entrance.clientOf(socket), authority, headers, socket, head };
      this.#tasks.run(authority, (signal) => this.#deps.serve(asked, signal));
    } catch (error) {
      this.#deps.log.debug('client refused', { listener: this.name, error });
      socket.destroy();
    }
  }
}

const contextOf = ({ current }: PemFiles): SecureContextOptions => ({
  cert: current.certificate,
  key: current.privateKey,
  minVersion: 'TLSv1.2',
  ...(current.clientCa === undefined ? {} : { ca: current.clientCa }),
});

/** The type does not know that this one is passed on. */
interface ConnectServerOptions extends SecureServerOptions {
  /** One direction may end before the other. */
  readonly allowHalfOpen: boolean;
}

interface TlsOptions {
  readonly limits: ConnectLimits;
  /** Whether who shows no certificate of the files' client CA is not heard. */
  readonly certified: boolean;
}

const secureOptions = (pem: PemFiles, { limits, certified }: TlsOptions): ConnectServerOptions => ({
  ...httpOptions(limits),
  ...contextOf(pem),
  requestCert: true,
  rejectUnauthorized: certified,
  handshakeTimeout: limits.handshakeMs,
  allowHalfOpen: true,
});

/** `CONNECT` over a Unix socket that only the owner of this process may open. */
export function createUnixListener(path: string, deps: ConnectListenerDeps): ConnectListener {
  const entrance: Entrance<Client> = {
    name: 'egress socket',
    async bind(prepare, signal) {
      const server = createServer(httpOptions(deps.limits));
      prepare(server);
      return { server, release: await listenUnix(server, path, signal) };
    },
    clientOf: () => ({ kind: 'unix' }),
    greeted: () => undefined,
  };
  return new Listener(entrance, deps);
}

type TlsListenerDeps<C> = ConnectListenerDeps<C> & { readonly pem: PemFiles };

function createListener<C>(
  entrance: Pick<Entrance<C>, 'name' | 'clientOf'> & {
    readonly address: Address;
    readonly certified: boolean;
  },
  deps: TlsListenerDeps<C>,
): ConnectListener {
  const { address, certified } = entrance;
  const { pem, limits } = deps;
  const newcomers = createNewcomers(limits.newcomers);
  const bind: Entrance<C>['bind'] = async (prepare, signal) => {
    const server = createSecureServer(secureOptions(pem, { limits, certified }));
    prepare(server);
    resetAllBy(server);
    server.on('connection', (socket: Socket) => newcomers.add(socket));
    const changed = pem.onChange(() => server.setSecureContext(contextOf(pem)));
    const listening = once(server, 'listening');
    server.listen({ host: address.host, port: address.port });
    await raceAbort(listening, signal);
    return { server, release: () => changed[Symbol.dispose]() };
  };
  return new Listener({ ...entrance, bind, greeted: (socket) => newcomers.remove(socket) }, deps);
}

/** `CONNECT` over TLS for clients with a certificate of the files' client CA. */
export function createTlsListener(address: Address, deps: TlsListenerDeps<Client>): ConnectListener {
  const clientOf = certificateClient;
  return createListener({ name: 'egress listener', address, certified: true, clientOf }, deps);
}

/** `CONNECT` over TLS for anybody: whoever serves it asks who that is. */
export function createOpenListener(
  { name, address }: { readonly name: string; readonly address: Address },
  deps: TlsListenerDeps<Shown>,
): ConnectListener {
  return createListener({ name, address, certified: false, clientOf: shownBy }, deps);
}
