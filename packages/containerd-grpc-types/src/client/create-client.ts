import { callError } from './status.ts';
import type { CallOptions, GrpcTransport } from './transport.ts';

/** A generated codec. */
interface Codec {
  encode(message: never): { finish(): Uint8Array };
  decode(input: Uint8Array): unknown;
}

interface Method {
  readonly name: string;
  readonly requestType: Codec;
  readonly requestStream: false;
  readonly responseType: Codec;
  readonly responseStream: boolean;
}

/** A generated method table. Calls that stream requests are not supported; the CRI has none. */
export interface ServiceDefinition {
  /** With its package: `runtime.v1.RuntimeService`. */
  readonly fullName: string;
  readonly methods: Readonly<Record<string, Method>>;
}

type Message<C extends Codec> = ReturnType<C['decode']>;

type Call<M extends Method> = M['responseStream'] extends true
  ? (request: Message<M['requestType']>, options: CallOptions) => AsyncIterable<Message<M['responseType']>>
  : (request: Message<M['requestType']>, options: CallOptions) => Promise<Message<M['responseType']>>;

/** One function for each method of a service. */
export type Client<D extends ServiceDefinition> = {
  readonly [K in keyof D['methods']]: Call<D['methods'][K]>;
};

function decode(path: string, codec: Codec, bytes: Uint8Array): unknown {
  try {
    return codec.decode(bytes);
  } catch (cause) {
    throw callError(path, 'INTERNAL', { message: 'the answer cannot be decoded', cause });
  }
}

function createCall(method: Method, path: string, transport: GrpcTransport): unknown {
  const encode = (request: never): Uint8Array => method.requestType.encode(request).finish();
  if (!method.responseStream) {
    return async (request: never, options: CallOptions) =>
      decode(path, method.responseType, await transport.unary(path, encode(request), options));
  }
  return async function* stream(request: never, options: CallOptions) {
    for await (const bytes of transport.serverStream(path, encode(request), options)) {
      yield decode(path, method.responseType, bytes);
    }
  };
}

/** Typed calls of one service over `transport`, which stays the caller's to close. */
export function createClient<D extends ServiceDefinition>(
  definition: D,
  transport: GrpcTransport,
): Client<D> {
  const calls = Object.entries(definition.methods).map(([key, method]) => {
    const path = `/${definition.fullName}/${method.name}`;
    return [key, createCall(method, path, transport)];
  });
  return Object.fromEntries(calls) as Client<D>;
}

/** A message with `fields`; what is left out has protobuf's default (empty, zero, false, absent). */
export function message<T extends object>(codec: { decode(input: Uint8Array): T }, fields: Partial<T>): T {
  return { ...codec.decode(new Uint8Array()), ...fields };
}
