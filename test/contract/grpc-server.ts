import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type UntypedServiceImplementation,
  type sendUnaryData,
} from '@grpc/grpc-js';

/** A small gRPC server whose messages are plain bytes. */
export interface GrpcServer {
  /** Calls whose client went away, by method. */
  readonly cancelled: readonly string[];
  /** Calls that arrived, by method. */
  readonly received: readonly string[];
  /** What each of these said of `contract-key`. */
  readonly metadata: readonly (string | undefined)[];
  /** What the last call of `Never` was told, in milliseconds. */
  readonly toldDeadlineMs: number;
  /** Bytes that `Endless` has written so far, and whether its client makes it wait. */
  readonly endless: { readonly bytes: number; readonly waiting: boolean };
  /** Cuts every connection at once and stops listening. Idempotent. */
  kill(): Promise<void>;
}

type Unary = ServerUnaryCall<Buffer, Buffer>;
type Stream = ServerWritableStream<Buffer, Buffer>;
type Answer = sendUnaryData<Buffer>;

const asIs = (bytes: Buffer): Buffer => bytes;
const method = (name: string, responseStream: boolean): ServiceDefinition[string] => ({
  path: `/contract.Test/${name}`,
  requestStream: false,
  responseStream,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
});

const definition: ServiceDefinition = {
  Echo: method('Echo', false),
  Fail: method('Fail', false),
  Never: method('Never', false),
  Zeros: method('Zeros', false),
  Count: method('Count', true),
  Endless: method('Endless', true),
};

class ContractServer implements GrpcServer {
  readonly cancelled: string[] = [];
  readonly received: string[] = [];
  readonly metadata: (string | undefined)[] = [];
  toldDeadlineMs = Number.NaN;
  readonly endless = { bytes: 0, waiting: false };
  readonly #server = new Server({ 'grpc.max_receive_message_length': 64 * 1024 * 1024 });

  async listen(socketPath: string): Promise<void> {
    await rm(socketPath, { force: true });
    this.#server.addService(definition, this.#handlers());
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.bindAsync(`unix:${socketPath}`, ServerCredentials.createInsecure(), (error) => {
      if (error === null) resolve();
      else reject(error);
    });
    await promise;
  }

  async kill(): Promise<void> {
    this.#server.forceShutdown();
  }

  #handlers(): UntypedServiceImplementation {
    return {
      Echo: (call: Unary, answer: Answer) => {
        this.#note('Echo', call);
        answer(null, call.request);
      },
      /** Request: `{"code", "details"}`. */
      Fail: (call: Unary, answer: Answer) => {
        this.#note('Fail', call);
        answer(JSON.parse(call.request.toString()) as { code: number; details: string });
      },
      Never: (call: Unary) => {
        this.#note('Never', call);
        this.toldDeadlineMs = Number(call.getDeadline()) - Date.now();
      },
      /** Request: how many bytes, as text. */
      Zeros: (call: Unary, answer: Answer) => {
        this.#note('Zeros', call);
        answer(null, Buffer.alloc(Number(call.request.toString())));
      },
      /** Request: how many messages, as text; with a minus sign it fails after them. */
      Count: (call: Stream) => {
        this.#note('Count', call);
        const count = Number(call.request.toString());
        for (let index = 0; index < Math.abs(count); index += 1) call.write(Buffer.from(`${index}`));
        if (count >= 0) call.end();
        else call.emit('error', { code: 9, details: 'counted enough' });
      },
      Endless: (call: Stream) => {
        this.#note('Endless', call);
        void this.#writeEndlessly(call);
      },
    };
  }

  #note(name: string, call: Unary | Stream): void {
    this.received.push(name);
    this.metadata.push(call.metadata.get('contract-key')[0]?.toString());
    call.on('cancelled', () => this.cancelled.push(name));
  }

  async #writeEndlessly(call: Stream): Promise<void> {
    const chunk = Buffer.alloc(4096);
    const gone = once(call, 'cancelled');
    while (!call.cancelled) {
      this.endless.bytes += chunk.byteLength;
      this.endless.waiting = !call.write(chunk);
      if (this.endless.waiting) await Promise.race([once(call, 'drain'), gone]);
    }
  }
}

/** Starts the server on a unix socket; a stale socket is replaced. */
export async function startGrpcServer(socketPath: string): Promise<GrpcServer> {
  const server = new ContractServer();
  await server.listen(socketPath);
  return server;
}
