import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  ContainerEventResponse,
  RuntimeServiceDefinition,
  VersionRequest,
  VersionResponse,
} from '../index.ts';
import { createClient, message } from './create-client.ts';
import type { CallOptions, GrpcTransport } from './transport.ts';

const options: CallOptions = { signal: new AbortController().signal, deadlineMs: 7 };

/** Answers every call with `answers` and keeps what it was asked. */
function cannedTransport(...answers: Uint8Array[]): GrpcTransport & { readonly asked: unknown[] } {
  const asked: unknown[] = [];
  return {
    asked,
    async unary(...call) {
      asked.push(call);
      return answers[0] ?? new Uint8Array();
    },
    async *serverStream(...call) {
      asked.push(call);
      yield* answers;
    },
    close: async () => undefined,
  };
}

describe('a client', () => {
  it('encodes the request, names the method, and decodes the answer', async () => {
    const answer = message(VersionResponse, { runtimeName: 'containerd' });
    const transport = cannedTransport(VersionResponse.encode(answer).finish());
    const client = createClient(RuntimeServiceDefinition, transport);
    const request = { version: '0.1.0' };
    expect(await client.version(request, options)).toEqual(answer);
    const bytes = VersionRequest.encode(request).finish();
    expect(transport.asked).toEqual([['/runtime.v1.RuntimeService/Version', bytes, options]]);
    expectTypeOf(client.version).returns.resolves.toEqualTypeOf<VersionResponse>();
  });

  it('yields the messages of a stream', async () => {
    const events = ['a', 'b'].map((containerId) => message(ContainerEventResponse, { containerId }));
    const transport = cannedTransport(
      ...events.map((event) => ContainerEventResponse.encode(event).finish()),
    );
    const stream = createClient(RuntimeServiceDefinition, transport).getContainerEvents({}, options);
    expectTypeOf(stream).toEqualTypeOf<AsyncIterable<ContainerEventResponse>>();
    expect(await Array.fromAsync(stream)).toEqual(events);
  });

  it('says which answer it cannot decode', async () => {
    const client = createClient(RuntimeServiceDefinition, cannedTransport(Buffer.from([0x0a, 0xff])));
    await expect(client.version({ version: '' }, options)).rejects.toMatchObject({
      code: 'Internal',
      message: 'Version: the answer cannot be decoded',
    });
  });
});
