import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, createServer, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { endingAtOnce } from '@selvedge/kit/testing';
import { until } from './kube-bench.ts';
import type { TunnelWorld } from './tunnel-world.ts';

/** A connection of somebody who has said nothing yet. */
export function stranger(port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => undefined);
  return socket.resume();
}

/** A connection of a node of the cluster that speaks for itself. */
export async function member(
  world: TunnelWorld,
  name: string,
  more: ConnectionOptions & { readonly port: number },
): Promise<TLSSocket> {
  const { certificate: cert, privateKey: key, certificateAuthority: ca } = await world.node(name);
  const options = { host: '127.0.0.1', cert, key, ca, ALPNProtocols: ['selvedge-reverse/1'] };
  const socket = connectTls({ ...options, ...more });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

/** A server that agents trust; what it says to them is the test's. */
export interface FalseServer extends AsyncDisposable {
  readonly port: number;
}

export async function startFalseServer(
  world: TunnelWorld,
  serve: (socket: TLSSocket) => void,
  protocols: readonly string[] = ['selvedge-reverse/1'],
): Promise<FalseServer> {
  const request = { commonName: 'tunnel', usages: ['server'], addresses: ['127.0.0.1'] } as const;
  const { certificate: cert, privateKey: key, certificateAuthority: ca } = await world.issue(request);
  const server = createServer({ cert, key, ca, requestCert: true, ALPNProtocols: [...protocols] });
  const end = endingAtOnce(server);
  server.on('secureConnection', (socket) => {
    socket.on('error', () => undefined);
    serve(socket);
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: end };
}

/** One frame. Source: RFC 9113 section 4.1. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array,
  length = payload.length,
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export const settings = frame(4, 0, 0, Buffer.alloc(0));

/** A header of HPACK that is not indexed. Source: RFC 7541 section 6.2.2. */
const header = (name: string, value: string): Buffer =>
  Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ]);

/** What HTTP/2's client says first. */
export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** A request for a stream. */
export const connectFrame = (stream: number, authority: string): Buffer =>
  frame(1, 4, stream, Buffer.concat([header(':method', 'CONNECT'), header(':authority', authority)]));

/** The opening end of a session that asks for a stream with its first words. */
export const askForService = Buffer.concat([preface, settings, connectFrame(1, 'kube-apiserver')]);

/** The frames that come, by hand. */
export class Frames {
  #bytes = Buffer.alloc(0);

  constructor(socket: Duplex) {
    socket.on('data', (chunk: Buffer) => (this.#bytes = Buffer.concat([this.#bytes, chunk])));
  }

  /** The payload of the next frame of that type; those before it are passed over. */
  async next(type: number): Promise<Buffer> {
    let found: Buffer | undefined;
    await until(`a frame of type ${type}`, () => {
      while (found === undefined && this.#bytes.length >= 9) {
        const end = 9 + this.#bytes.readUIntBE(0, 3);
        if (this.#bytes.length < end) break;
        if (this.#bytes[3] === type) found = this.#bytes.subarray(9, end);
        this.#bytes = this.#bytes.subarray(end);
      }
      return found !== undefined;
    });
    return found ?? Buffer.alloc(0);
  }
}

/** The answering end of a session, by hand: enough for the server to take it for one. */
export function answerPings(socket: TLSSocket): void {
  socket.write(settings);
  socket.on('data', (bytes: Buffer) => {
    // Every ping of the greeting is answered.
    for (let at = bytes.indexOf(Buffer.from([0, 0, 8, 6, 0])); at >= 0; ) {
      socket.write(frame(6, 1, 0, bytes.subarray(at + 9, at + 17)));
      at = bytes.indexOf(Buffer.from([0, 0, 8, 6, 0]), at + 1);
    }
  });
}
