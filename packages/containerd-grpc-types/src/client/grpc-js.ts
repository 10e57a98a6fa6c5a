import {
  type CallOptions as GrpcCallOptions,
  Client,
  Metadata,
  type ServiceError,
  credentials,
} from '@grpc/grpc-js';
import { type Clock, aborted, scoped } from '@selvedge/kit';
import { type Bounds, createBounds } from './bounds.ts';
import { endpointPath } from './endpoint.ts';
import { statusError } from './status.ts';
import {
  type CallOptions,
  type GrpcTransport,
  defaultMaxMessageBytes,
  defaultUnaryDeadlineMs,
} from './transport.ts';

export interface GrpcJsTransportOptions {
  /** `unix:///run/containerd/containerd.sock` or `npipe:////./pipe/containerd-containerd`. */
  readonly endpoint: string;
  /** Cap of one answer's message; default 16 MiB. */
  readonly maxMessageBytes?: number;
}

export interface GrpcJsTransportDeps {
  readonly clock: Clock;
}

const asIs = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
}

/** What grpc-js takes after a request. */
function settingsOf(
  { deadlineMs, metadata = {} }: Pick<CallOptions, 'deadlineMs' | 'metadata'>,
  clock: Clock,
): [Metadata, GrpcCallOptions] {
  const fields = new Metadata();
  for (const [name, value] of Object.entries(metadata)) fields.set(name, value);
  return [fields, deadlineMs === undefined ? {} : { deadline: clock.now() + deadlineMs }];
}

function translate(path: string, bounds: Bounds, error: unknown): unknown {
  const known = isServiceError(error);
  return bounds.explain(
    known ? statusError(path, { status: error.code, message: error.details }, error) : error,
  );
}

/** gRPC over `@grpc/grpc-js`, the reference that our own transport is held against. */
export function createGrpcJsTransport(
  options: GrpcJsTransportOptions,
  deps: GrpcJsTransportDeps,
): GrpcTransport {
  const { clock } = deps;
  const life = scoped();
  const client = new Client(`unix:${endpointPath(options.endpoint)}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': options.maxMessageBytes ?? defaultMaxMessageBytes,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 5_000,
    'grpc.enable_retries': 0,
    'grpc.service_config_disable_resolution': 1,
    'grpc.use_local_subchannel_pool': 1,
  });

  return {
    async unary(path, request, { signal, deadlineMs = defaultUnaryDeadlineMs, ...more }) {
      using bounds = createBounds({ path, signal, deadlineMs, life: life.signal }, clock);
      bounds.signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
      const answered = (error: ServiceError | null, answer?: Uint8Array): void => {
        if (error === null && answer !== undefined) resolve(answer);
        else reject(translate(path, bounds, error));
      };
      const settings = settingsOf({ ...more, deadlineMs }, clock);
      const call = client.makeUnaryRequest(path, asIs, asIs, request, ...settings, answered);
      bounds.signal.addEventListener('abort', () => {
        call.cancel();
      });
      return await promise;
    },
    async *serverStream(path, request, bound: CallOptions) {
      using bounds = createBounds({ ...bound, path, life: life.signal }, clock);
      bounds.signal.throwIfAborted();
      const call = client.makeServerStreamRequest(path, asIs, asIs, request, ...settingsOf(bound, clock));
      call.on('error', () => undefined);
      bounds.signal.addEventListener('abort', () => {
        call.cancel();
      });
      try {
        for await (const message of call) yield message as Uint8Array;
      } catch (error) {
        throw translate(path, bounds, error);
      } finally {
        call.cancel();
      }
    },
    async close() {
      life.abort(aborted('the gRPC transport'));
      client.close();
    },
  };
}
