import { once } from 'node:events';
import { createServer as createHttp, type IncomingMessage } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { connect, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Authority } from '../bed/pki/certificate.ts';

export interface ConnectProxyOptions {
  /** `name:password`. Default: everybody may use it. */
  readonly credentials?: string;
  /** Vouches for the proxy's own certificate; with it the proxy is an `https:` one. */
  readonly authority?: Authority;
}

/** An HTTP proxy on a free port of the loopback interface that knows `CONNECT` only. */
export interface ConnectProxy extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** What was asked for, `host:port`, refused or not. */
  readonly targets: readonly string[];
}

function relay(client: Duplex, target: string, head: Buffer): Socket {
  const { hostname, port } = new URL(`http://${target}`);
  const upstream = connect({ host: hostname, port: Number(port), noDelay: true });
  const end = (): void => {
    client.destroy();
    upstream.destroy();
  };
  upstream.on('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
  client.once('close', end);
  upstream.once('close', end);
  upstream.once('connect', () => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    upstream.write(head);
    client.pipe(upstream).pipe(client);
  });
  return upstream;
}

async function serverOf(authority: Authority | undefined): Promise<Server> {
  if (authority === undefined) return createHttp();
  const { certificate, key } = await authority.issue({
    commonName: 'proxy',
    addresses: ['127.0.0.1'],
    usages: ['server'],
  });
  return createHttps({ cert: certificate, key });
}

export async function startConnectProxy(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const server = await serverOf(options.authority);
  const sockets = new Set<Duplex>();
  const targets: string[] = [];
  const expected =
    options.credentials === undefined
      ? undefined
      : `Basic ${Buffer.from(options.credentials).toString('base64')}`;
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('connect', (request: IncomingMessage, client: Duplex, head: Buffer) => {
    const target = request.url ?? '';
    targets.push(target);
    client.on('error', () => undefined);
    if (expected !== undefined && request.headers['proxy-authorization'] !== expected) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n\r\n');
      return;
    }
    sockets.add(relay(client, target, head));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `${options.authority === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    targets,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
