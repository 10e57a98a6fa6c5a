import 'reflect-metadata';
import { X509Certificate, webcrypto } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, type TLSSocket, connect as connectTls } from 'node:tls';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  PemConverter,
  X509CertificateGenerator,
} from '@peculiar/x509';
import {
  type MetricsRegistry,
  SelvedgeError,
  createMetricsRegistry,
  silentLogger,
  systemClock,
} from '@selvedge/kit';
import type { Presented } from '../access/types.ts';
import { type HubPki, createHubPki } from '../pki/index.ts';
import type { Caller, HubHandler } from '../request.ts';
import { type Endpoint, type EndpointDeps, type EndpointOptions, createEndpoint } from './endpoint.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const hourMs = 3_600_000;

export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** Some cluster's CA. */
export interface TestCa {
  readonly certificate: string;
  /** A client certificate; `fromMs` and `toMs` relative to now, an hour around it by default. */
  issue(user: string, validity?: { readonly fromMs: number; readonly toMs: number }): Promise<KeyPair>;
}

const pemOf = async (key: webcrypto.CryptoKey): Promise<string> =>
  PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');

const between = (fromMs: number, toMs: number): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(systemClock.now() + fromMs),
  notAfter: new Date(systemClock.now() + toMs),
});

export async function createTestCa(): Promise<TestCa> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const root = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=cluster',
    ...between(-hourMs, 10 * hourMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  });
  return {
    certificate: `${root.toString('pem')}\n`,
    async issue(user, { fromMs, toMs } = { fromMs: -hourMs, toMs: hourMs }) {
      const own = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
      const leaf = await X509CertificateGenerator.create({
        subject: [{ CN: [user] }],
        issuer: root.subject,
        ...between(fromMs, toMs),
        signingAlgorithm: algorithm,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        extensions: [new ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.2'])],
      });
      return { cert: leaf.toString('pem'), key: await pemOf(own.privateKey) };
    },
  };
}

/** The token `token-of-NAME` is NAME's; an expired certificate is nobody's. */
export async function authenticateByName({ certificate, bearerToken }: Presented): Promise<Caller> {
  const shown = certificate === undefined ? undefined : new X509Certificate(certificate);
  if (shown !== undefined && shown.validToDate.getTime() > systemClock.now()) {
    const { CN = '' } = shown.toLegacyObject().subject;
    return { kind: 'node', user: { username: String(CN), groups: ['system:nodes'] } };
  }
  const [, username] = /^token-of-(.+)$/.exec(bearerToken ?? '') ?? [];
  if (username === undefined) throw new SelvedgeError('Unauthorized', { code: 'Unauthenticated' });
  const user = { username, groups: [] };
  return { kind: 'token', user, token: bearerToken ?? '', pod: undefined };
}

/** Says what it was asked. */
const echo: HubHandler = async ({ method, path, query, headers, body, caller }) => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(
    JSON.stringify({
      method,
      path,
      query: String(query),
      headers,
      body: body === undefined ? undefined : Buffer.from(body).toString(),
      user: caller.user.username,
    }),
  ),
});

export interface TestHub extends AsyncDisposable {
  readonly endpoint: Endpoint;
  readonly pki: HubPki;
  readonly ca: TestCa;
  readonly metrics: MetricsRegistry;
}

const unavailable = async (): Promise<never> => {
  throw new SelvedgeError('node n is autonomous', { code: 'Unavailable' });
};

/** An endpoint on the loopback, in front of a handler that says what it was asked. */
export async function createTestHub(
  deps: Partial<EndpointDeps> = {},
  options: Partial<EndpointOptions> = {},
): Promise<TestHub> {
  const folder = await mkdtemp(join(tmpdir(), 'hub-endpoint-'));
  const metrics = createMetricsRegistry();
  const common = { clock: systemClock, log: silentLogger, metrics };
  const fixed = { nodeName: 'n', clusterDomain: 'cluster.local', linkLocalAddress: options.linkLocalAddress };
  const files = { authorityPath: join(folder, 'hub-ca.pem'), bundlePath: join(folder, 'hub-ca.crt') };
  const pki = createHubPki({ ...fixed, ...files }, common);
  const ca = await createTestCa();
  const { signal } = new AbortController();
  await pki.start(signal);
  const endpoint = createEndpoint(
    { port: 0, linkLocalAddress: undefined, ...options },
    {
      ...common,
      pki,
      clusterCa: () => ca.certificate,
      access: { authenticate: authenticateByName, authorize: async () => ({ allowed: false, reason: '' }) },
      handler: echo,
      upstream: { upgrade: unavailable, dialRaw: unavailable },
      isLocal: () => true,
      relayFor: () => false,
      status: () => ({}),
      machineAddresses: () =>
        Object.values(networkInterfaces()).flatMap((each) => each?.map(({ address }) => address) ?? []),
      exec: async () => undefined,
      ...deps,
    },
  );
  await endpoint.start(signal);
  return {
    endpoint,
    pki,
    ca,
    metrics,
    async [Symbol.asyncDispose]() {
      await endpoint.stop();
      await pki.stop();
      await rm(folder, { recursive: true });
    },
  };
}

export interface Asked {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  readonly client?: KeyPair;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** A TLS connection to the hub that trusts its authority. */
export async function connectTo(hub: TestHub, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const { port } = hub.endpoint;
  const socket = connectTls({ host: '127.0.0.1', port, ca: hub.pki.caBundle, ...options });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

async function overHttp1(hub: TestHub, path: string, asked: Asked): Promise<Answered> {
  const { method = 'GET', headers = {}, body, client } = asked;
  const { port } = hub.endpoint;
  const sent = httpsRequest({
    host: '127.0.0.1',
    port,
    path,
    method,
    headers,
    ca: hub.pki.caBundle,
    agent: false,
    ...client,
  });
  const answered = once(sent, 'response');
  sent.end(body);
  const [response] = (await answered) as [
    AsyncIterable<Buffer> & { statusCode: number; headers: IncomingHttpHeaders },
  ];
  const text = Buffer.concat(await Array.fromAsync(response)).toString();
  return { status: response.statusCode, headers: response.headers, text };
}

export function openHttp2(hub: TestHub, client: Partial<KeyPair> = {}): ClientHttp2Session {
  const session = connectHttp2(`https://127.0.0.1:${hub.endpoint.port}`, { ca: hub.pki.caBundle, ...client });
  session.on('error', () => undefined);
  return session;
}

export async function askOver(session: ClientHttp2Session, path: string, asked: Asked): Promise<Answered> {
  const { method = 'GET', headers = {}, body } = asked;
  const stream = session.request(
    { ':method': method, ':path': path, ...headers },
    { endStream: body === undefined },
  );
  const answered = once(stream, 'response');
  if (body !== undefined) stream.end(body);
  const [head] = (await answered) as [IncomingHttpHeaders & { ':status': number }];
  const text = Buffer.concat(await Array.fromAsync(stream as AsyncIterable<Buffer>)).toString();
  return { status: head[':status'], headers: head, text };
}

async function overHttp2(hub: TestHub, path: string, asked: Asked): Promise<Answered> {
  const session = openHttp2(hub, asked.client);
  try {
    return await askOver(session, path, asked);
  } finally {
    session.destroy();
  }
}

/** One request on a connection of its own. */
export const ask = { 'HTTP/1.1': overHttp1, 'HTTP/2': overHttp2 } as const;

/** What comes until the text has come. */
export async function readUntil(stream: Duplex, text: string): Promise<string> {
  let got = '';
  while (!got.includes(text)) {
    const [chunk] = (await once(stream, 'data')) as [Buffer];
    got += chunk.toString();
  }
  return got;
}

/** All that comes until the other side ends or breaks. */
export async function readAll(stream: Duplex): Promise<string> {
  let got = '';
  stream.on('data', (chunk: Buffer) => (got += chunk.toString()));
  stream.on('error', () => undefined);
  if (!stream.closed && !stream.readableEnded)
    await Promise.race([once(stream, 'end'), once(stream, 'close')]);
  return got;
}

/** What ann's requests carry. */
export const asToken = { authorization: 'Bearer token-of-ann' };

/** Of an upstream that nobody should ask. */
export const notAsked = async (): Promise<never> => {
  throw new SelvedgeError('not asked for', { code: 'Internal' });
};
