import { once } from 'node:events';
import {
  type IncomingMessage,
  type Server as PlainServer,
  type ServerResponse,
  createServer,
} from 'node:http';
import { type Server, createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Target } from '@selvedge/tunnel';
import type { KeyPair } from '../bed/pki/certificate.ts';
import type { Serve } from './manager-world.ts';

/** What answers at the edge: a kubelet, a pod with a web server, a pod with a webhook. All of them on the loopback. */
export interface EgressSite extends AsyncDisposable {
  /** Connections so far, by what they were for. */
  readonly connections: { kubelet: number; web: number; hook: number };
  /** Lets an agent take these targets to them. */
  readonly serve: (targets: Readonly<Record<string, 'kubelet' | 'web' | 'hook'>>) => Serve;
}

interface SiteOptions {
  readonly kubelet: KeyPair;
  readonly hook: KeyPair;
  /** PEM of who signs the API server's client certificate for kubelets. */
  readonly clientCa: string;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

function answerAsKubelet({ url = '' }: IncomingMessage, response: ServerResponse): void {
  if (url === '/healthz') response.end('ok');
  else if (url.startsWith('/containerLogs/')) {
    response.write('first\n');
    response.end('last\n');
  } else response.writeHead(404).end();
}

/** Denies all objects with the name `bad`. */
async function answerAsWebhook(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const review = JSON.parse(await text(request)) as { request: { uid: string; name: string } };
  const { uid, name } = review.request;
  const status = { message: 'the edge says no' };
  const verdict = name === 'bad' ? { uid, allowed: false, status } : { uid, allowed: true };
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ ...review, request: undefined, response: verdict }));
}

async function listening(server: Server | PlainServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

export async function startEgressSite({ kubelet, hook, clientCa }: SiteOptions): Promise<EgressSite> {
  const connections = { kubelet: 0, web: 0, hook: 0 };
  const sockets = new Set<Socket>();
  const secure = ({ certificate: cert, key }: KeyPair, answer: Answer, more: object = {}): Server =>
    createSecureServer({ cert, key, ...more }, answer);
  const servers = {
    kubelet: secure(kubelet, answerAsKubelet, { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
    web: createServer((request, response) => response.end(`web ${request.url}`)),
    hook: secure(hook, answerAsWebhook),
  };
  const ports = new Map<string, number>();
  for (const [name, server] of Object.entries(servers)) {
    server.on('connection', (socket: Socket) => {
      connections[name as keyof typeof connections] += 1;
      sockets.add(socket);
      socket.on('error', () => undefined);
    });
    ports.set(name, await listening(server));
  }
  return {
    connections,
    serve: (targets) => ({
      allow({ host, port }: Target) {
        const name = targets[`${host}:${port}`];
        if (name === undefined) return { kind: 'refused', reason: `${host}:${port} is not served here` };
        return { kind: 'allowed', connect: { host: '127.0.0.1', port: ports.get(name) ?? 0 } };
      },
    }),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      for (const server of Object.values(servers)) await once(server.close(), 'close');
    },
  };
}
