import { type Server, type ServerResponse, createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { systemCode } from '@selvedge/kit';
import { badRequest, errorResponse, statusError } from '../answers/index.ts';
import type { EndpointLimits } from './limits.ts';
import type { Link } from './link.ts';
import type { Protocol, Sinks } from './protocol.ts';
import { isUpgrade, refuseOn } from './upgrade.ts';

const meanings: Readonly<Record<string, { readonly status: number; readonly reason: string }>> = {
  HPE_HEADER_OVERFLOW: { status: 431, reason: 'RequestHeaderFieldsTooLarge' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, reason: 'Timeout' },
};

/** What the parser did not take, as a Status. */
function refusalOf(error: Error): Error {
  const meaning = meanings[systemCode(error) ?? ''];
  if (meaning === undefined) return badRequest(`the request cannot be read: ${error.message}`);
  return statusError('Invalid', `the request was refused: ${error.message}`, meaning);
}

function onClientError(error: Error, socket: Duplex): void {
  if (!socket.writable || systemCode(error) === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const { status, headers, body } = errorResponse(refusalOf(error));
  refuseOn(socket, status, { headers, body: body instanceof Uint8Array ? body : Buffer.alloc(0) });
}

function configure(server: Server, limits: EndpointLimits): void {
  server.headersTimeout = limits.headersMs;
  server.requestTimeout = limits.headersMs + limits.bodyMs;
  server.keepAliveTimeout = limits.idleMs;
  server.timeout = limits.idleMs;
  // A quiet watch has nothing to send; only a client that does not take what waits for it is given up.
  server.on('timeout', (socket) => {
    if (socket.writableLength > 0) socket.destroy();
  });
  server.on('clientError', onClientError);
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
export function createHttp1(limits: EndpointLimits, sinks: Sinks): Protocol {
  const links = new WeakMap<Duplex, Link>();
  const server = createServer({
    maxHeaderSize: limits.maxHeaderBytes,
    connectionsCheckingInterval: Math.min(5_000, limits.headersMs),
    shouldUpgradeCallback: isUpgrade,
  });
  configure(server, limits);
  const pipelines = new Pipelines(limits.maxPipelined);
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
    close: () => server.close(() => undefined),
  };
}
