import { once } from 'node:events';
import { type IncomingMessage, type OutgoingHttpHeaders, createServer } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type ConnectionOptions, type TLSSocket, connect as connectTls } from 'node:tls';
import { generateKeyPairSync } from 'node:crypto';
import {
  type Clock,
  type MetricsRegistry,
  type SelvedgeError,
  createListeners,
  createMetricsRegistry,
  silentLogger,
  systemClock,
} from '@selvedge/kit';
import { seededRandom } from '@selvedge/kit/testing';
import type { KubeObject } from '@selvedge/kube';
import type { Pod, SubjectAccessReview, TokenReview } from '@selvedge/kube/types';
import type { ServingPair } from '../listen/index.ts';
import type { PodObserved, RuntimeHealth } from '../runtime/index.ts';
import { createAuthorityCertificate, createServerCertificate } from '../x509/index.ts';
import { type KubeletApiDeps, createKubeletApi } from './kubelet-api.ts';
import type { KubeletApiLimits } from './limits.ts';
import type { KubeletServer } from './server.ts';

const hourMs = 3_600_000;
const newKey = (): ReturnType<typeof generateKeyPairSync>['privateKey'] =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

/** An authority with servers and, by the same token, clients: its certificates say nothing of clients alone. */
export interface TestAuthority {
  readonly certificate: string;
  serve(names: readonly string[]): ServingPair;
}

export function createTestAuthority(name: string): TestAuthority {
  const issuer = { subject: { commonName: name, organization: 'test' }, key: newKey() };
  const now = Math.floor(systemClock.now() / 1_000) * 1_000;
  const validity = { notBeforeMs: now - hourMs, notAfterMs: now + hourMs };
  return {
    certificate: createAuthorityCertificate(issuer, validity),
    serve(names) {
      const key = newKey();
      const subject = { commonName: 'system:node:edge', organization: 'system:nodes' };
      return {
        certificate: createServerCertificate({ subject, key, validity, names }, issuer),
        key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
      };
    },
  };
}

/** The API server's part: `token-of-NAME` is NAME's, and who may what is `NAME verb subresource`. */
export class TestReviews {
  readonly allowed = new Set<string>();
  readonly asked: string[] = [];
  failure: SelvedgeError | undefined;

  readonly create = async <T extends KubeObject>(
    { kind }: { readonly kind: string },
    object: T,
  ): Promise<T> => {
    const review: unknown = object;
    if (this.failure !== undefined) throw this.failure;
    if (kind === 'TokenReview') return { ...object, status: this.#token(review as TokenReview) };
    return { ...object, status: this.#access(review as SubjectAccessReview) };
  };

  #token({ spec }: TokenReview): TokenReview['status'] {
    this.asked.push('token');
    const [, username] = /^token-of-(.+)$/.exec(spec.token ?? '') ?? [];
    if (username === undefined) return { authenticated: false };
    return { authenticated: true, user: { username, groups: ['system:authenticated'] } };
  }

  #access({ spec }: SubjectAccessReview): SubjectAccessReview['status'] {
    const { verb = '', resource, subresource = '', name } = spec.resourceAttributes ?? {};
    const asked = `${spec.user ?? ''} ${verb} ${subresource}`;
    this.asked.push(asked);
    return { allowed: resource === 'nodes' && name === 'edge' && this.allowed.has(asked) };
  }
}

/** What stands for the runtime's streaming server: it turns `/stream` over and sends back what comes. */
export class TestStreaming {
  readonly requests: IncomingMessage[] = [];
  readonly sockets = new Set<Socket>();
  readonly #server = createServer(
    { shouldUpgradeCallback: ({ url }) => url?.startsWith('/stream') === true },
    (_request, response) => {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('no such stream');
    },
  );

  async start(): Promise<void> {
    this.#server.on('upgrade', (request, socket: Duplex, head: Buffer) => {
      this.requests.push(request);
      this.sockets.add(socket as Socket);
      socket.on('error', () => undefined);
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: SPDY/3.1\r\n');
      socket.write('x-stream-protocol-version: v4.channel.k8s.io\r\n\r\nhello ');
      if (head.length > 0) socket.write(head);
      socket.pipe(socket);
    });
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  urlOf(path: string): URL {
    return new URL(path, `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

const testPod: Pod = {
  metadata: { namespace: 'shop', name: 'till', uid: 'u1' },
  spec: { containers: [{ name: 'main', tty: true }, { name: 'side' }], initContainers: [{ name: 'init' }] },
};

const container = (name: string, kind: 'running' | 'created'): PodObserved['containers'][number] => ({
  id: `id-of-${name}`,
  sandboxId: 's1',
  name,
  createdAtMs: 0,
  state: kind === 'running' ? { kind, startedAtMs: 0 } : { kind },
  image: 'busybox',
  imageRef: '',
  imageId: '',
  hash: '',
  restartCount: 0,
  logPath: '',
  user: undefined,
  graceSeconds: undefined,
});

const observed: PodObserved = {
  uid: 'u1',
  namespace: 'shop',
  name: 'till',
  sandboxes: [{ id: 's1', attempt: 0, createdAtMs: 0, state: 'ready', hostNetwork: false, ips: [] }],
  containers: [container('main', 'running'), container('side', 'running'), container('init', 'created')],
};

export interface TestKubelet extends AsyncDisposable {
  readonly server: KubeletServer;
  readonly authority: TestAuthority;
  readonly reviews: TestReviews;
  readonly streaming: TestStreaming;
  readonly metrics: MetricsRegistry;
  /** What the runtime was asked to prepare. */
  readonly prepared: object[];
  /** Where the next stream waits. */
  location: () => URL;
  health: RuntimeHealth;
  /** Sets the serving certificate. */
  certify(pair: ServingPair): void;
}

export interface TestKubeletOptions {
  readonly limits?: Partial<KubeletApiLimits>;
  readonly routes?: KubeletApiDeps['routes'];
  /** Default: true. */
  readonly certified?: boolean;
  readonly clock?: Clock;
}

class Kubelet implements TestKubelet {
  readonly authority = createTestAuthority('cluster');
  readonly reviews = new TestReviews();
  readonly streaming = new TestStreaming();
  readonly metrics = createMetricsRegistry();
  readonly prepared: object[] = [];
  readonly server: KubeletServer;
  location = (): URL => this.streaming.urlOf('/stream?token=1');
  health: RuntimeHealth = { kind: 'unknown' };
  readonly #changed = createListeners<void>(silentLogger);
  #serving: ServingPair | undefined;

  constructor(options: TestKubeletOptions) {
    const prepare = async (request: object): Promise<URL> => {
      this.prepared.push(request);
      return this.location();
    };
    const health = (): RuntimeHealth => this.health;
    const serving = (): ServingPair | undefined => this.#serving;
    if (options.certified !== false) this.#serving = this.authority.serve(['127.0.0.1', 'edge']);
    this.server = createKubeletApi(
      {
        nodeName: 'edge',
        address: '127.0.0.1',
        port: 0,
        limits: options.limits,
        config: { kubeletconfig: { maxPods: 110 }, 'edge-lite': {} },
      },
      {
        client: this.reviews,
        source: { list: (_resource, namespace) => (namespace === 'shop' ? [testPod] : []) as never },
        runtime: {
          get health() {
            return health();
          },
          observe: async () => observed,
          observeAll: async () => [observed],
          prepareExec: prepare,
          prepareAttach: prepare,
          preparePortForward: prepare,
        },
        routes: options.routes ?? [],
        pki: {
          get serving() {
            return serving();
          },
          onChange: this.#changed.add,
        },
        clusterCa: () => this.authority.certificate,
        ownAddresses: () => [],
        clock: options.clock ?? systemClock,
        random: seededRandom(1),
        log: silentLogger,
        metrics: this.metrics,
      },
    );
  }

  certify(pair: ServingPair): void {
    this.#serving = pair;
    this.#changed.tell();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop();
    await this.streaming.stop();
  }
}

/** Resolves once it listens, if it has a certificate. */
export async function createTestKubelet(options: TestKubeletOptions = {}): Promise<TestKubelet> {
  const kubelet = new Kubelet(options);
  await kubelet.streaming.start();
  await kubelet.server.start(new AbortController().signal);
  while (options.certified !== false && kubelet.server.port === undefined) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  return kubelet;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

export interface Asked {
  readonly method?: string;
  readonly user?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly client?: { readonly cert: string; readonly key: string };
}

const headersOf = ({ user, headers = {} }: Asked): OutgoingHttpHeaders =>
  user === undefined ? headers : { authorization: `Bearer token-of-${user}`, ...headers };

/** One request on a connection of its own. */
export async function ask(kubelet: TestKubelet, path: string, asked: Asked = {}): Promise<Answered> {
  const sent = httpsRequest({
    host: '127.0.0.1',
    port: kubelet.server.port,
    path,
    method: asked.method ?? 'GET',
    headers: headersOf(asked),
    ca: kubelet.authority.certificate,
    agent: false,
    ...asked.client,
  });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, text: await text(response) };
}

/** A TLS connection that trusts the node's authority. */
export async function connectTo(kubelet: TestKubelet, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const { port = 0 } = kubelet.server;
  const { certificate: ca } = kubelet.authority;
  const settings = { host: '127.0.0.1', port, ca, allowHalfOpen: true, ...options };
  const socket = connectTls(settings);
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

/** A request for another protocol, by the user; what came behind the head is unread. */
export async function askForStream(
  kubelet: TestKubelet,
  path: string,
  asked: Asked = {},
): Promise<{ readonly answer: IncomingMessage; readonly socket: Socket | undefined }> {
  const sent = httpsRequest({
    host: '127.0.0.1',
    port: kubelet.server.port,
    path,
    method: asked.method ?? 'POST',
    headers: headersOf({
      ...asked,
      headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1', ...asked.headers },
    }),
    ca: kubelet.authority.certificate,
    agent: false,
  });
  sent.end();
  const { promise, resolve, reject } = Promise.withResolvers<{
    answer: IncomingMessage;
    socket: Socket | undefined;
  }>();
  sent.once('error', reject);
  sent.once('response', (answer) => resolve({ answer, socket: undefined }));
  sent.once('upgrade', (answer, socket, head) => {
    if (head.length > 0) socket.unshift(head);
    resolve({ answer, socket });
  });
  return promise;
}
