import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2';
import { hasCode, messageOf } from '@selvedge/kit';
import { type FrameDecoder, createFrameDecoder, encodeFrame } from './frame.ts';
import { notGrpc, outcomeOf, requestHeaders } from './headers.ts';
import { type Outcome, callError, outcomeOfReset, statusError } from './status.ts';

export interface Call {
  /** `/package.Service/Method` */
  readonly path: string;
  readonly request: Uint8Array;
  /** What the server is told, in milliseconds; the caller's signal is what ends the call here. */
  readonly deadlineMs: number | undefined;
  readonly maxMessageBytes: number;
}

function openStream(session: ClientHttp2Session, call: Call): ClientHttp2Stream {
  try {
    const stream = session.request(requestHeaders(call.path, call.deadlineMs));
    stream.on('error', () => undefined);
    stream.end(encodeFrame(call.request));
    return stream;
  } catch (cause) {
    throw callError(call.path, 'UNAVAILABLE', { message: 'the connection is closing', cause });
  }
}

/** Notes the status: from trailers, from a trailers-only answer, or because the server does not speak gRPC. */
function watchOutcome(stream: ClientHttp2Stream): () => Outcome | undefined {
  let outcome: Outcome | undefined;
  stream.once('response', (headers) => {
    const bad = notGrpc(headers[':status'], headers['content-type']);
    outcome = outcomeOf(headers) ?? bad;
    if (bad !== undefined) stream.close(constants.NGHTTP2_CANCEL);
  });
  stream.once('trailers', (trailers) => {
    outcome ??= outcomeOf(trailers);
  });
  return () => outcome;
}

/** The chunks of an answer. A stream that breaks just ends; how it ended is a question of its own. */
async function* readChunks(stream: ClientHttp2Stream): AsyncGenerator<Buffer, void> {
  try {
    yield* stream.iterator({ destroyOnReturn: false });
  } catch {
    // `stream.errored` keeps it.
  }
}

function decodeChunk(decoder: FrameDecoder, chunk: Uint8Array, path: string): Uint8Array[] {
  try {
    return decoder.push(chunk);
  } catch (cause) {
    const name = hasCode(cause, 'ResourceExhausted') ? 'RESOURCE_EXHAUSTED' : 'INTERNAL';
    throw callError(path, name, { message: messageOf(cause), cause });
  }
}

/** What to make of a stream that ended without a status. */
function lostOutcome(session: ClientHttp2Session, stream: ClientHttp2Stream): Outcome {
  if (session.destroyed) return { status: 14, message: 'the connection was lost' };
  if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) return outcomeOfReset(stream.rstCode);
  return { status: 13, message: 'the answer ended without a status' };
}

/** Runs `call` on `session` and yields the messages of its answer. Leaving the iteration resets the stream. */
export async function* runCall(
  session: ClientHttp2Session,
  call: Call,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  signal.throwIfAborted();
  const stream = openStream(session, call);
  const cancel = (): void => {
    if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
    stream.destroy();
  };
  const statusOf = watchOutcome(stream);
  const decoder = createFrameDecoder(call.maxMessageBytes);
  signal.addEventListener('abort', cancel, { once: true });
  try {
    for await (const chunk of readChunks(stream)) yield* decodeChunk(decoder, chunk, call.path);
    signal.throwIfAborted();
    const outcome = statusOf() ?? lostOutcome(session, stream);
    if (outcome.status !== 0) throw statusError(call.path, outcome, stream.errored ?? undefined);
    if (decoder.pendingBytes === 0) return;
    throw callError(call.path, 'INTERNAL', { message: 'the answer ended inside a message' });
  } finally {
    signal.removeEventListener('abort', cancel);
    cancel();
  }
}
