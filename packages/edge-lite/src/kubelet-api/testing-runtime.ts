import { once } from 'node:events';
import { type IncomingMessage, createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Pod } from '@selvedge/kube/types';
import type { PodObserved } from '../runtime/index.ts';

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

export const testPod: Pod = {
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

/** What the runtime holds of it. */
export const testPodObserved: PodObserved = {
  uid: 'u1',
  namespace: 'shop',
  name: 'till',
  sandboxes: [{ id: 's1', attempt: 0, createdAtMs: 0, state: 'ready', hostNetwork: false, ips: [] }],
  containers: [container('main', 'running'), container('side', 'running'), container('init', 'created')],
};
