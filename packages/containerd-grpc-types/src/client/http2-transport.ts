import type { ClientHttp2Session } from 'node:http2';
import { type Clock, type Logger, type Random, aborted, createBackoff, isAbort, scoped } from '@selvedge/kit';
import { runCall } from './call.ts';
import { Connection } from './connection.ts';
import { startDeadline } from './deadline.ts';
import { endpointPath } from './endpoint.ts';
import { callError } from './status.ts';
import {
  type CallOptions,
  type GrpcTransport,
  defaultMaxMessageBytes,
  defaultUnaryDeadlineMs,
} from './transport.ts';

export interface Http2TransportOptions {
  /** `unix:///run/containerd/containerd.sock` or `npipe:////./pipe/containerd-containerd`. */
  readonly endpoint: string;
  /** Cap of one answer's message; default 16 MiB. */
  readonly maxMessageBytes?: number;
  /** Cap of calls under way; default 256. One more fails with `ResourceExhausted`. */
  readonly maxConcurrentCalls?: number;
  /** Default 5,000. */
  readonly dialTimeoutMs?: number;
  /** Default 5,000. */
  readonly handshakeTimeoutMs?: number;
}

export interface Http2TransportDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Pauses between attempts to reach a local server: short, for it costs next to nothing to ask. */
const reconnect = { initialMs: 100, maxMs: 5_000, resetAfterMs: 10_000 };

/** The one message of a unary answer. */
async function onlyMessage(path: string, messages: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  let answer: Uint8Array | undefined;
  for await (const message of messages) {
    if (answer !== undefined) throw callError(path, 'INTERNAL', { message: 'more than one answer' });
    answer = message;
  }
  if (answer === undefined) throw callError(path, 'INTERNAL', { message: 'no answer' });
  return answer;
}

/**
 * Our own gRPC client over `node:http2`: unary calls and server streams, without compression, metadata or retries.
 * Throws `Invalid` for an endpoint that it cannot read. It does no I/O before the first call.
 */
export function createHttp2Transport(
  options: Http2TransportOptions,
  deps: Http2TransportDeps,
): GrpcTransport {
  const { clock, log } = deps;
  const maxMessageBytes = options.maxMessageBytes ?? defaultMaxMessageBytes;
  const maxCalls = options.maxConcurrentCalls ?? 256;
  const life = scoped();
  let calls = 0;
  const connection = new Connection(
    {
      socketPath: endpointPath(options.endpoint),
      dialTimeoutMs: options.dialTimeoutMs ?? 5_000,
      handshakeTimeoutMs: options.handshakeTimeoutMs ?? 5_000,
    },
    { clock, log, backoff: createBackoff(reconnect, deps) },
  );

  const connect = async (path: string, signal: AbortSignal): Promise<ClientHttp2Session> => {
    try {
      return await connection.session(signal);
    } catch (cause) {
      if (signal.aborted || isAbort(cause)) throw cause;
      throw callError(path, 'UNAVAILABLE', { message: 'the server cannot be reached', cause });
    }
  };

  async function* serverStream(
    path: string,
    request: Uint8Array,
    { signal, deadlineMs }: CallOptions,
  ): AsyncGenerator<Uint8Array, void> {
    if (calls >= maxCalls) {
      throw callError(path, 'RESOURCE_EXHAUSTED', { message: `${maxCalls} calls are under way already` });
    }
    calls += 1;
    using scope = scoped(signal, life.signal);
    const timer = startDeadline(scope, clock, { path, deadlineMs });
    try {
      const session = await connect(path, scope.signal);
      yield* runCall(session, { path, request, deadlineMs, maxMessageBytes }, scope.signal);
    } finally {
      timer[Symbol.dispose]();
      calls -= 1;
    }
  }

  return {
    serverStream,
    unary(path, request, { signal, deadlineMs = defaultUnaryDeadlineMs }) {
      return onlyMessage(path, serverStream(path, request, { signal, deadlineMs }));
    },
    async close() {
      life.abort(aborted('the gRPC transport'));
      await connection.close();
    },
  };
}
