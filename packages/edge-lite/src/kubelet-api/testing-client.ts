import { once } from 'node:events';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { type ConnectionOptions, type TLSSocket, connect as connectTls } from 'node:tls';
import type { TestKubelet } from './testing.ts';

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
