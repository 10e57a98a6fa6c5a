import type { OutgoingHttpHeaders } from 'node:http';
import type { Writable } from 'node:stream';
import { raceAbort, writeChunk } from '../index.ts';
import type { Answer } from './answer.ts';

/** What the answers of both versions of HTTP have in common. */
export interface ResponseStream extends Writable {
  readonly headersSent: boolean;
  writeHead(status: number, headers: OutgoingHttpHeaders): unknown;
  flushHeaders(): void;
}

export interface RespondOptions {
  /** Headers alone, as for HEAD. */
  readonly withoutBody: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** What is written at once of a whole answer, in bytes; one that is no larger is always sent. */
export const pieceBytes = 64 * 1024;

/** Resolves once the last byte has left. */
async function end(
  response: ResponseStream,
  last: Uint8Array | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (last === undefined) response.end(resolve);
  else response.end(last, resolve);
  await raceAbort(promise, signal);
}

async function whole(response: ResponseStream, body: Uint8Array, signal: AbortSignal): Promise<void> {
  let at = 0;
  for (; body.byteLength - at > pieceBytes; at += pieceBytes) {
    await writeChunk(response, body.subarray(at, at + pieceBytes), signal);
  }
  await end(response, body.subarray(at), signal);
}

async function stream(
  response: ResponseStream,
  chunks: AsyncIterator<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  response.flushHeaders();
  for (;;) {
    const next = await raceAbort(chunks.next(), signal);
    if (next.done === true) return;
    await writeChunk(response, next.value, signal);
  }
}

/** Its end is not waited for: a source that hangs must not hold up whoever went away. */
function letGo(chunks: AsyncIterator<Uint8Array>): void {
  chunks.return?.().catch(() => undefined);
}

/**
 * Sends the answer as fast as the client takes it and resolves once all of it has left. Rejects with the signal's reason or
 * what the body throws.
 */
export async function respond(
  response: ResponseStream,
  answer: Answer,
  { withoutBody, headers = {}, signal }: RespondOptions,
): Promise<void> {
  const { status, body } = answer;
  const own = { ...answer.headers, ...headers };
  if (body instanceof Uint8Array) {
    response.writeHead(status, { ...own, 'content-length': String(body.byteLength) });
    await (withoutBody ? end(response, undefined, signal) : whole(response, body, signal));
    return;
  }
  const chunks = body[Symbol.asyncIterator]();
  try {
    response.writeHead(status, own);
    if (!withoutBody) await stream(response, chunks, signal);
    await end(response, undefined, signal);
  } finally {
    letGo(chunks);
  }
}
