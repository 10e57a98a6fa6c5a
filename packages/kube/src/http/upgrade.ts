import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { raceAbort, withDeadline, type Clock } from '@selvedge/kit';
import { broken, destroyOnAbort } from '@selvedge/kit/net';
import type { HttpRequest, HttpTimeouts, Upgraded } from './types.ts';

export interface UpgradeOptions {
  readonly url: URL;
  readonly timeouts: HttpTimeouts;
  readonly request: UpgradeRequest;
}

/** Its headers name the protocol: `connection: Upgrade`, `upgrade: …`. Several values of one go on a line each. */
export interface UpgradeRequest extends Omit<HttpRequest, 'headers'> {
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
}

interface Deps {
  readonly clock: Clock;
  /** A connected socket on which HTTP/1.1 was agreed. Taken over. */
  readonly socket: Socket;
}

/** Of a refusal; the rest is not read. */
const maxRefusalBytes = 64 * 1024;

async function refusalOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= maxRefusalBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, maxRefusalBytes);
}

interface Head {
  readonly message: IncomingMessage;
  /** The connection, when it is ours now. */
  readonly socket: Socket | undefined;
}

function headOf(sent: ClientRequest, host: string): Promise<Head> {
  const { promise, resolve, reject } = Promise.withResolvers<Head>();
  sent.once('upgrade', (message, socket, head) => {
    if (head.length > 0) socket.unshift(head);
    resolve({ message, socket });
  });
  sent.once('response', (message) => resolve({ message, socket: undefined }));
  sent.on('error', (error) => reject(broken(host, error)));
  sent.once('close', () => reject(broken(host)));
  return promise;
}

async function answerOf(sent: ClientRequest, host: string): Promise<Upgraded> {
  const { message, socket } = await headOf(sent, host);
  const { statusCode: status = 0, headers } = message;
  const body = socket === undefined ? await refusalOf(message) : Buffer.alloc(0);
  return { status, headers, socket, body };
}

/**
 * Asks for another protocol and gives the bare connection away, or the refusal. The request's signal ends the connection,
 * before and after. Rejects with `Unavailable`, or `DeadlineExceeded` if no head comes.
 */
export async function upgrade({ url, timeouts, request }: UpgradeOptions, deps: Deps): Promise<Upgraded> {
  const { method, path, headers, body, signal } = request;
  const { socket, clock } = deps;
  destroyOnAbort(socket, signal, (error) => socket.destroy(error));
  const sent = httpRequest({
    method,
    path,
    hostname: url.hostname,
    headers: { ...headers, host: url.host },
    createConnection: () => socket,
  });
  const answer = answerOf(sent, url.host);
  sent.end(body);
  const wait = { what: `the answer of ${url.host}`, timeoutMs: timeouts.firstByteMs, signal };
  try {
    const upgraded = await withDeadline(wait, clock, (inner) => raceAbort(answer, inner));
    if (upgraded.socket === undefined) socket.destroy();
    return upgraded;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}
