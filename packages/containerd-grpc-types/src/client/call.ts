import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2';
import { hasCode, messageOf } from '@selvedge/kit';
import { createFrameDecoder, encodeFrame } from './frame.ts';
import { notGrpc, outcomeOf, requestHeaders } from './headers.ts';
import { type Outcome, callError, outcomeOfReset, statusError } from './status.ts';
import type { CallOptions } from './transport.ts';

/** It is the caller who ends the call here: its deadline is what the server is told. */
export interface CallRequest extends Pick<CallOptions, 'deadlineMs' | 'metadata'> {
  /** `/package.Service/Method` */
  readonly path: string;
  readonly request: Uint8Array;
  readonly maxMessageBytes: number;
}

/** Hears of an answer, never before `startCall` has returned. */
export interface CallSink {
  message(bytes: Uint8Array): void;
  /** Nothing follows. `error` is absent when the server said OK. Called once. */
  end(error?: unknown): void;
}

/** A call under way. */
export interface Call {
  /** Takes no more from the server than fits its window, until `resume`. */
  pause(): void;
  resume(): void;
  /** Resets the stream and ends with `reason`, unless it has ended. */
  cancel(reason: unknown): void;
}

function openStream(session: ClientHttp2Session, call: CallRequest): ClientHttp2Stream {
  try {
    const stream = session.request(requestHeaders(call.path, call));
    stream.on('error', () => undefined);
    stream.end(encodeFrame(call.request));
    return stream;
  } catch (cause) {
    throw callError(call.path, 'UNAVAILABLE', { message: 'the connection is closing', cause });
  }
}

/** What to make of a stream that ended without a status. */
function lostOutcome(session: ClientHttp2Session, stream: ClientHttp2Stream): Outcome {
  if (session.destroyed) return { status: 14, message: 'the connection was lost' };
  if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) return outcomeOfReset(stream.rstCode);
  return { status: 13, message: 'the answer ended without a status' };
}

function frameError(path: string, cause: unknown): Error {
  const name = hasCode(cause, 'ResourceExhausted') ? 'RESOURCE_EXHAUSTED' : 'INTERNAL';
  return callError(path, name, { message: messageOf(cause), cause });
}

/**
 * Sends a request and tells `sink` of the answer. Built on events, not on an async iterator of the stream: that one
 * costs as much again as the call. Throws `Unavailable` when the session takes no more streams.
 */
export function startCall(session: ClientHttp2Session, request: CallRequest, sink: CallSink): Call {
  const { path } = request;
  const stream = openStream(session, request);
  const decoder = createFrameDecoder(request.maxMessageBytes);
  let outcome: Outcome | undefined;
  let ended = false;
  const end = (error?: unknown): void => {
    if (ended) return;
    ended = true;
    sink.end(error);
  };
  const cancel = (reason: unknown): void => {
    end(reason);
    if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
    stream.destroy();
  };
  const finish = (): void => {
    const { status, message } = outcome ?? lostOutcome(session, stream);
    if (status !== 0) end(statusError(path, { status, message }, stream.errored ?? undefined));
    else if (decoder.pendingBytes === 0) end();
    else end(callError(path, 'INTERNAL', { message: 'the answer ended inside a message' }));
  };
  stream.once('response', (headers) => {
    outcome = outcomeOf(headers);
    const bad = outcome === undefined ? notGrpc(headers[':status'], headers['content-type']) : undefined;
    if (bad !== undefined) cancel(statusError(path, bad));
  });
  stream.once('trailers', (trailers) => {
    outcome ??= outcomeOf(trailers);
  });
  stream.on('data', (chunk: Buffer) => {
    if (ended) return;
    try {
      for (const message of decoder.push(chunk)) sink.message(message);
    } catch (cause) {
      cancel(frameError(path, cause));
    }
  });
  stream.once('end', () => {
    if (outcome !== undefined) finish();
  });
  stream.once('close', finish);
  return {
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    cancel,
  };
}
