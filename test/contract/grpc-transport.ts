import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GrpcTransport } from '@selvedge/containerd-grpc-types';
import { type Clock, type ErrorCode, SelvedgeError, hasCode, systemClock } from '@selvedge/kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type GrpcServer, startGrpcServer } from './grpc-server.ts';

/** Makes the transport under test; messages over `maxMessageBytes` are refused. */
export type TransportFactory = (options: {
  readonly endpoint: string;
  readonly maxMessageBytes: number;
  readonly clock: Clock;
}) => GrpcTransport;

const maxMessageBytes = 4 * 1024 * 1024;
const text = (value: string): Buffer => Buffer.from(value);
const path = (method: string): string => `/contract.Test/${method}`;

async function failure(promise: Promise<unknown>): Promise<SelvedgeError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof SelvedgeError) return error;
  throw new Error('expected a SelvedgeError', { cause: error });
}

async function collect(messages: AsyncIterable<Uint8Array>, into: string[] = []): Promise<string[]> {
  for await (const message of messages) into.push(Buffer.from(message).toString());
  return into;
}

/** What every gRPC transport does, against a server in this process. */
export function grpcTransportContract(name: string, create: TransportFactory): void {
  describe(`${name}, as a gRPC transport`, () => {
    let folder: string;
    let socketPath: string;
    let server: GrpcServer;
    let transport: GrpcTransport;
    let controller: AbortController;
    const unary = (method: string, request = '', deadlineMs?: number): Promise<Uint8Array> =>
      transport.unary(path(method), text(request), {
        signal: controller.signal,
        ...(deadlineMs === undefined ? {} : { deadlineMs }),
      });
    const stream = (method: string, request = ''): AsyncIterable<Uint8Array> =>
      transport.serverStream(path(method), text(request), { signal: controller.signal });
    const echoWorks = async (): Promise<void> => {
      expect(Buffer.from(await unary('Echo', 'still here', 5_000)).toString()).toBe('still here');
    };

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'selvedge-grpc-'));
      socketPath = join(folder, 's');
      server = await startGrpcServer(socketPath);
      transport = create({ endpoint: `unix://${socketPath}`, maxMessageBytes, clock: systemClock });
      controller = new AbortController();
    });
    afterEach(async () => {
      await transport.close();
      await server.kill();
      await rm(folder, { recursive: true });
    });

    it('answers a unary call', echoWorks);

    it('sends metadata with a call and with a stream', async () => {
      const options = { signal: controller.signal, metadata: { 'contract-key': 'a value' } };
      await transport.unary(path('Echo'), text(''), options);
      await collect(transport.serverStream(path('Count'), text('1'), options));
      await unary('Echo');
      expect(server.metadata).toEqual(['a value', 'a value', undefined]);
    });

    it('carries an empty message', async () => {
      expect(await unary('Zeros', '0')).toHaveLength(0);
    });

    it('carries messages that fill many windows, both ways', async () => {
      const big = Buffer.alloc(3 * 1024 * 1024, 'selvedge');
      const answer = await transport.unary(path('Echo'), big, { signal: controller.signal });
      expect(Buffer.compare(answer, big)).toBe(0);
    });

    it('runs a hundred calls at once', async () => {
      const requests = Array.from({ length: 100 }, (_, index) => `${index}`);
      const answers = await Promise.all(requests.map((request) => unary('Echo', request)));
      expect(answers.map((answer) => Buffer.from(answer).toString())).toEqual(requests);
    });

    it('yields the messages of a stream in their order', async () => {
      const seen = await collect(stream('Count', '500'));
      expect(seen).toEqual(Array.from({ length: 500 }, (_, index) => `${index}`));
    });

    it('ends a stream without messages', async () => {
      expect(await collect(stream('Count', '0'))).toEqual([]);
    });

    it.each<[number, string, ErrorCode]>([
      [1, 'CANCELLED', 'Unavailable'],
      [2, 'UNKNOWN', 'Internal'],
      [3, 'INVALID_ARGUMENT', 'Invalid'],
      [5, 'NOT_FOUND', 'NotFound'],
      [6, 'ALREADY_EXISTS', 'AlreadyExists'],
      [7, 'PERMISSION_DENIED', 'Forbidden'],
      [9, 'FAILED_PRECONDITION', 'Conflict'],
      [12, 'UNIMPLEMENTED', 'Unsupported'],
      [14, 'UNAVAILABLE', 'Unavailable'],
      [16, 'UNAUTHENTICATED', 'Unauthenticated'],
    ])('turns status %i (%s) into %s', async (code, grpcStatus, expected) => {
      const error = await failure(unary('Fail', JSON.stringify({ code, details: 'no' })));
      expect(error).toMatchObject({ code: expected, message: 'Fail: no', details: { grpcStatus } });
    });

    it('decodes the message of a status', async () => {
      const details = 'größer als 100%\n"日本" ok';
      const error = await failure(unary('Fail', JSON.stringify({ code: 5, details })));
      expect(error.message).toBe(`Fail: ${details}`);
    });

    it('says that a method is not implemented', async () => {
      expect(await failure(unary('Unheard'))).toMatchObject({ code: 'Unsupported' });
    });

    it('yields what came before a failure, then fails', async () => {
      const seen: string[] = [];
      expect(await failure(collect(stream('Count', '-3'), seen))).toMatchObject({ code: 'Conflict' });
      expect(seen).toEqual(['0', '1', '2']);
    });

    it('gives up at the deadline and tells the server of it', async () => {
      expect(await failure(unary('Never', '', 150))).toMatchObject({
        code: 'DeadlineExceeded',
        details: { grpcStatus: 'DEADLINE_EXCEEDED' },
      });
      expect(server.toldDeadlineMs).toBeGreaterThan(0);
      expect(server.toldDeadlineMs).toBeLessThanOrEqual(151);
      await expect.poll(() => server.cancelled).toEqual(['Never']);
      await echoWorks();
    });

    it.each([
      [2, 'context deadline exceeded'],
      [1, 'the caller has gone'],
      [5, 'the exec was removed'],
    ])('gives up at the deadline also if status %i comes before its timer', async (code, details) => {
      let nowMs = 0;
      const clock: Clock = { ...systemClock, monotonicMs: () => nowMs };
      const late = create({ endpoint: `unix://${socketPath}`, maxMessageBytes, clock });
      const options = { signal: controller.signal, deadlineMs: 60_000 };
      for (const [passedMs, expected] of [
        [59_999, details],
        [60_000, 'no answer within 60000 ms'],
      ] as const) {
        const call = late.unary(path('Fail'), text(JSON.stringify({ code, details })), options);
        nowMs += passedMs;
        expect((await failure(call)).message).toBe(`Fail: ${expected}`);
      }
      await late.close();
    });

    it('ends a stream at its deadline', async () => {
      const options = { signal: controller.signal, deadlineMs: 100 };
      const error = await failure(collect(transport.serverStream(path('Never'), text(''), options)));
      expect(error).toMatchObject({ code: 'DeadlineExceeded' });
    });

    it('rejects with the reason of the abort and cancels the call', async () => {
      const call = unary('Never');
      const reason = new SelvedgeError('enough', { code: 'Aborted' });
      await expect.poll(() => server.received).toEqual(['Never']);
      controller.abort(reason);
      expect(await failure(call)).toBe(reason);
      await expect.poll(() => server.cancelled).toEqual(['Never']);
    });

    it('ends a stream with the reason of the abort', async () => {
      const messages = stream('Endless')[Symbol.asyncIterator]();
      const reason = new SelvedgeError('enough', { code: 'Aborted' });
      expect(await messages.next()).toMatchObject({ done: false });
      controller.abort(reason);
      const drained = async (): Promise<void> => {
        while ((await messages.next()).done !== true);
      };
      expect(await failure(drained())).toBe(reason);
      await expect.poll(() => server.cancelled).toEqual(['Endless']);
    });

    it('does not call at all once the signal is aborted', async () => {
      const reason = new SelvedgeError('too late', { code: 'Aborted' });
      controller.abort(reason);
      expect(await failure(unary('Echo'))).toBe(reason);
      expect(await failure(collect(stream('Count', '1')))).toBe(reason);
      expect(server.received).toEqual([]);
    });

    it('cancels a stream that is left', async () => {
      for await (const message of stream('Endless')) {
        expect(message).toHaveLength(4096);
        break;
      }
      await expect.poll(() => server.cancelled).toEqual(['Endless']);
      await echoWorks();
    });

    it('takes from the server only what is taken from it, without stopping its neighbours', async () => {
      const messages = stream('Endless')[Symbol.asyncIterator]();
      await messages.next();
      const standsStill = async (): Promise<boolean> => {
        const before = server.endless.bytes;
        for (let neighbour = 0; neighbour < 20; neighbour += 1) await echoWorks();
        return server.endless.waiting && server.endless.bytes === before;
      };
      await expect.poll(standsStill).toBe(true);
      expect(server.endless.bytes).toBeLessThan(1024 * 1024);
      for (let taken = 0; taken < 1_000; taken += 1) await messages.next();
      expect(server.endless.bytes).toBeGreaterThan(1_000 * 4096);
      await messages.return?.();
    });

    it('refuses an answer over the cap and goes on', async () => {
      expect(await failure(unary('Zeros', `${maxMessageBytes + 1}`))).toMatchObject({
        code: 'ResourceExhausted',
      });
      expect(await unary('Zeros', `${maxMessageBytes}`)).toHaveLength(maxMessageBytes);
    });

    it('says at once that nobody listens', async () => {
      await server.kill();
      expect(await failure(unary('Echo'))).toMatchObject({
        code: 'Unavailable',
        details: { grpcStatus: 'UNAVAILABLE' },
      });
    });

    it('fails calls whose server dies, and reaches the next server', async () => {
      const calls = [failure(unary('Never')), failure(collect(stream('Endless')))];
      await expect.poll(() => server.received.toSorted()).toEqual(['Endless', 'Never']);
      await server.kill();
      for (const error of await Promise.all(calls)) expect(error).toMatchObject({ code: 'Unavailable' });
      server = await startGrpcServer(socketPath);
      await expect.poll(echoWorks).toBeUndefined();
    });

    it('ends its calls when it is closed, and takes no more', async () => {
      await echoWorks();
      const calls = [failure(unary('Never')), failure(collect(stream('Endless')))];
      await expect.poll(() => server.received).toHaveLength(3);
      await transport.close();
      for (const error of await Promise.all(calls)) expect(hasCode(error, 'Aborted')).toBe(true);
      expect(await failure(unary('Echo'))).toMatchObject({ code: 'Aborted' });
      await transport.close();
      await expect.poll(() => server.cancelled).toEqual(expect.arrayContaining(['Endless', 'Never']));
    });
  });
}
