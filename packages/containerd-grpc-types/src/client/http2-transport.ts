import type { ClientHttp2Session } from 'node:http2';
import { type Clock, type Logger, type Random, aborted, createBackoff, isAbort, scoped } from '@selvedge/kit';
import { streamedAnswer, unaryAnswer } from './answer.ts';
import { type Bounds, createBounds } from './bounds.ts';
import { Connection } from './connection.ts';
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

class Http2Transport implements GrpcTransport {
  readonly #clock: Clock;
  readonly #connection: Connection;
  readonly #life = scoped();
  readonly #maxMessageBytes: number;
  readonly #maxCalls: number;
  #calls = 0;

  constructor(options: Http2TransportOptions, deps: Http2TransportDeps) {
    const { clock, log } = deps;
    const dial = {
      socketPath: endpointPath(options.endpoint),
      dialTimeoutMs: options.dialTimeoutMs ?? 5_000,
      handshakeTimeoutMs: options.handshakeTimeoutMs ?? 5_000,
    };
    this.#clock = clock;
    this.#connection = new Connection(dial, { clock, log, backoff: createBackoff(reconnect, deps) });
    this.#maxMessageBytes = options.maxMessageBytes ?? defaultMaxMessageBytes;
    this.#maxCalls = options.maxConcurrentCalls ?? 256;
  }

  async unary(path: string, request: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    const { deadlineMs = defaultUnaryDeadlineMs } = options;
    using bounds = this.#enter(path, { ...options, deadlineMs });
    try {
      const session = await this.#session(path, bounds.signal);
      const call = { ...options, path, request, deadlineMs, maxMessageBytes: this.#maxMessageBytes };
      return await unaryAnswer(session, call, bounds.signal);
    } catch (error) {
      throw bounds.explain(error);
    }
  }

  async *serverStream(
    path: string,
    request: Uint8Array,
    options: CallOptions,
  ): AsyncGenerator<Uint8Array, void> {
    using bounds = this.#enter(path, options);
    try {
      const session = await this.#session(path, bounds.signal);
      const call = { ...options, path, request, maxMessageBytes: this.#maxMessageBytes };
      yield* streamedAnswer(session, call, bounds.signal);
    } catch (error) {
      throw bounds.explain(error);
    }
  }

  async close(): Promise<void> {
    this.#life.abort(aborted('the gRPC transport'));
    await this.#connection.close();
  }

  /** Counts the call until it is disposed. */
  #enter(path: string, options: CallOptions): Bounds {
    if (this.#calls >= this.#maxCalls) {
      const message = `${this.#maxCalls} calls are under way already`;
      throw callError(path, 'RESOURCE_EXHAUSTED', { message });
    }
    const bounds = createBounds({ ...options, path, life: this.#life.signal }, this.#clock);
    this.#calls += 1;
    return {
      ...bounds,
      [Symbol.dispose]: () => {
        this.#calls -= 1;
        bounds[Symbol.dispose]();
      },
    };
  }

  async #session(path: string, signal: AbortSignal): Promise<ClientHttp2Session> {
    try {
      return await this.#connection.session(signal);
    } catch (cause) {
      if (signal.aborted || isAbort(cause)) throw cause;
      throw callError(path, 'UNAVAILABLE', { message: 'the server cannot be reached', cause });
    }
  }
}

/**
 * Our own gRPC client over `node:http2`: unary calls and server streams, without compression or retries.
 * Throws `Invalid` for an endpoint that it cannot read. It does no I/O before the first call.
 */
export function createHttp2Transport(
  options: Http2TransportOptions,
  deps: Http2TransportDeps,
): GrpcTransport {
  return new Http2Transport(options, deps);
}
