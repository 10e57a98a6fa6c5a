import type { OutgoingHttpHeaders } from 'node:http';
import type { Writable } from 'node:stream';
import { raceAbort, writeChunk } from '@selvedge/kit';
import type { HubResponse } from '../request.ts';
import { responseHeaders } from './headers.ts';

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

/** Sends the answer as fast as the client takes it. Rejects with the signal's reason or what the body throws. */
export async function respond(
  response: ResponseStream,
  answer: HubResponse,
  { withoutBody, headers = {}, signal }: RespondOptions,
): Promise<void> {
  const { status, body } = answer;
  const own = { ...responseHeaders(answer.headers), ...headers };
  if (body instanceof Uint8Array) {
    response.writeHead(status, { ...own, 'content-length': String(body.byteLength) });
    response.end(withoutBody ? undefined : body);
    return;
  }
  const chunks = body[Symbol.asyncIterator]();
  try {
    response.writeHead(status, own);
    if (!withoutBody) await stream(response, chunks, signal);
    response.end();
  } finally {
    letGo(chunks);
  }
}
