import { once } from 'node:events';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  Http2ServerResponse,
  constants,
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type ServerHttp2Session,
} from 'node:http2';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { endingAtOnce } from '@selvedge/kit/testing';
import { newAuthority, openAuthority, type Authority } from '../bed/pki/certificate.ts';

export type Protocol = 'h2' | 'http/1.1' | 'plain';
export type ServerRequest = IncomingMessage | Http2ServerRequest;
/** What the two kinds of answers have in common. */
export interface ServerAnswer {
  writeHead(status: number, headers?: Record<string, string>): unknown;
  write(chunk: string | Uint8Array, done?: () => void): boolean;
  end(chunk?: string | Uint8Array): unknown;
  on(event: 'close' | 'error', listener: () => void): unknown;
}
export type Handler = (request: ServerRequest, response: ServerAnswer) => void;

/** A real HTTP server on a free port of the loopback interface; the handler of the moment answers. */
export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Open HTTP/2 connections. */
  readonly sessions: ReadonlySet<ServerHttp2Session>;
  /** Connections taken so far. */
  readonly connections: number;
  handler: Handler;
  /** Open now. */
  readonly sockets: number;
}

export interface ServerOptions {
  readonly protocol: Protocol;
  readonly authority: Authority;
  /** Default 100. */
  readonly maxConcurrentStreams?: number;
}

export async function newTestAuthority(): Promise<Authority> {
  return openAuthority(await newAuthority('test', Date.now()), Date);
}

async function serverOf(options: ServerOptions, answer: Handler): Promise<Server | Http2SecureServer> {
  if (options.protocol === 'plain') return createHttp(answer);
  const { authority } = options;
  const { certificate, key } = await authority.issue({
    commonName: 'server',
    addresses: ['127.0.0.1'],
    usages: ['server'],
  });
  const ca = authority.keyPair.certificate;
  const tls = { cert: certificate, key, ca, requestCert: true, rejectUnauthorized: false };
  if (options.protocol === 'http/1.1') return createHttps({ ...tls, ALPNProtocols: ['http/1.1'] }, answer);
  const settings = { maxConcurrentStreams: options.maxConcurrentStreams ?? 100 };
  return createSecureServer({ ...tls, settings }, answer);
}

export async function startTestServer(options: ServerOptions): Promise<TestServer> {
  const sessions = new Set<ServerHttp2Session>();
  let connections = 0;
  const sockets = new Set<Socket>();
  const answer: Handler = (request, response) => {
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    test.handler(request, response);
  };
  const server = await serverOf(options, answer);
  server.on(options.protocol === 'plain' ? 'connection' : 'secureConnection', () => (connections += 1));
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  const end = endingAtOnce(server);
  server.on('session', (session: ServerHttp2Session) => {
    sessions.add(session);
    session.on('error', () => undefined);
    session.once('close', () => sessions.delete(session));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const test: TestServer = {
    url: `${options.protocol === 'plain' ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    sessions,
    get connections() {
      return connections;
    },
    handler: (_request, response) => response.end(),
    get sockets() {
      return sockets.size;
    },
    [Symbol.asyncDispose]: end,
  };
  return test;
}

/** Answers with JSON. */
export function json(response: ServerAnswer, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

/** The whole body of a request. */
export async function bodyOf(request: ServerRequest): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** Breaks an answer off in the middle, as a server does that fails. */
export function breakOff(response: ServerAnswer): void {
  if (response instanceof Http2ServerResponse) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else (response as ServerResponse).destroy();
}
