import { type Server, type ServerResponse, createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { SelvedgeError, systemCode } from '../index.ts';
import type { Http1Limits } from './limits.ts';
import type { Protocol, Sinks } from './protocol.ts';
import { refuseOn } from './refuse-on.ts';

const meanings: Readonly<Record<string, { readonly status: number; readonly reason: string }>> = {
  HPE_HEADER_OVERFLOW: { status: 431, reason: 'RequestHeaderFieldsTooLarge' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, reason: 'Timeout' },
};

function refusalOf(error: Error): SelvedgeError {
  const details = meanings[systemCode(error) ?? ''];
  if (details === undefined) {
    return new SelvedgeError(`the request cannot be read: ${error.message}`, { code: 'Invalid' });
  }
  return new SelvedgeError(`the request was refused: ${error.message}`, { code: 'Invalid', details });
}

function configure(server: Server, limits: Http1Limits): void {
  server.headersTimeout = limits.headersMs;
  server.requestTimeout = limits.headersMs + limits.bodyMs;
  server.keepAliveTimeout = limits.idleMs;
  server.timeout = limits.idleMs;
  // Node checks its timeouts once a server listens; this one is handed its connections.
  server.emit('listening');
}

/** Requests of one connection that are under way, and when the last of them is answered. */
interface Pipeline {
  underWay: number;
  last: Promise<void>;
}

/** As the API server, one request of a connection at a time. */
class Pipelines {
  readonly #max: number;
  readonly #pipelines = new WeakMap<Duplex, Pipeline>();

  constructor(max: number) {
    this.#max = max;
  }

  isBusy(socket: Duplex): boolean {
    return (this.#pipelines.get(socket)?.underWay ?? 0) > 0;
  }

  /** Resolves when it is the request's turn; undefined for one too many. */
  join(socket: Duplex, response: ServerResponse): { readonly turn: Promise<void> } | undefined {
    const pipeline = this.#pipelines.get(socket) ?? { underWay: 0, last: Promise.resolve() };
    this.#pipelines.set(socket, pipeline);
    const turn = pipeline.last;
    const { promise, resolve } = Promise.withResolvers<void>();
    pipeline.last = promise;
    pipeline.underWay += 1;
    response.once('close', () => {
      pipeline.underWay -= 1;
      resolve();
    });
    return pipeline.underWay > this.#max ? undefined : { turn };
  }
}

/** HTTP/1.1. */
export function createHttp1<L>(limits: Http1Limits, sinks: Sinks<L>): Protocol<L> {
  const links = new WeakMap<Duplex, L>();
  const server = createServer({
    maxHeaderSize: limits.maxHeaderBytes,
    connectionsCheckingInterval: Math.min(5_000, limits.headersMs),
    shouldUpgradeCallback: sinks.isUpgrade,
  });
  configure(server, limits);
  server.on('clientError', (error, socket) => {
    if (!socket.writable || systemCode(error) === 'ECONNRESET') socket.destroy();
    else refuseOn(socket, sinks.refusal(refusalOf(error)));
  });
  const pipelines = new Pipelines(limits.maxPipelined);
  // A quiet watch has nothing to send: given up is a client that does not take what waits for it, or asks for nothing.
  server.on('timeout', (socket) => {
    if (socket.writableLength > 0 || !pipelines.isBusy(socket)) socket.destroy();
  });
  server.on('request', (request, response) => {
    const link = links.get(request.socket);
    const joined = pipelines.join(request.socket, response);
    if (link === undefined || joined === undefined) request.socket.destroy();
    else sinks.exchange({ request, response, link, turn: joined.turn });
  });
  server.on('upgrade', (request, socket, head) => {
    const link = links.get(socket);
    if (link === undefined || pipelines.isBusy(socket)) socket.destroy();
    else sinks.upgrade({ request, socket, head, link });
  });
  return {
    take(socket, link) {
      links.set(socket, link);
      server.emit('connection', socket);
    },
    async close() {
      server.close(() => undefined);
      server.closeIdleConnections();
    },
  };
}
