import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { type TLSSocket, connect as connectSecure } from 'node:tls';
import { resetBy } from '@selvedge/kit/net';

/** What the API server sends. Source: k8s.io/apiserver, pkg/server/egressselector, `tunnelHTTPConnect`. */
export const connectRequest = (authority: string, ...headers: readonly string[]): string =>
  [`CONNECT ${authority} HTTP/1.1`, 'Host: 127.0.0.1', ...headers, '', ''].join('\r\n');

/** The head of an answer, as Go's client takes it: nothing of the stream may come with it. */
export async function headOf(socket: Socket): Promise<string> {
  let said = '';
  for (;;) {
    const chunk = socket.read() as Buffer | null;
    if (chunk !== null) said += chunk.toString('latin1');
    if (said.includes('\r\n\r\n') || socket.readableEnded || socket.destroyed) return said;
    if (chunk === null) {
      await new Promise<void>((resolve) => {
        // One that is half open is not closed when all was said.
        for (const event of ['readable', 'end', 'close']) socket.once(event, resolve);
      });
    }
  }
}

export async function dialUnix(path: string): Promise<Socket> {
  const socket = connect({ path, allowHalfOpen: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

export interface DialOptions {
  readonly port: number;
  readonly ca: string;
  /** PEM. */
  readonly pair?: { readonly certificate: string; readonly key: string };
}

/** Resolves when the handshake is over, for better or worse. It can be reset. */
export async function dialTls({ port, ca, pair }: DialOptions): Promise<TLSSocket> {
  const own = pair === undefined ? {} : { cert: pair.certificate, key: pair.key };
  const carrier = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  carrier.on('error', () => undefined);
  const socket = connectSecure({ socket: carrier, host: '127.0.0.1', ca, ...own });
  resetBy(socket, carrier);
  socket.on('error', () => undefined);
  await new Promise((resolve) => {
    socket.once('secureConnect', resolve);
    socket.once('close', resolve);
  });
  return socket;
}

/** How a connection ends for who reads to the end and then says one more thing, as one may after a clean end. */
export async function lastOf(socket: Socket): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  socket.once('end', () => socket.write('more', (error) => error ?? resolve('a clean end')));
  socket.resume();
  return promise;
}
