import { type ClientHttp2Session, type IncomingHttpHeaders, connect } from 'node:http2';
import { hasCode, messageOf } from '@selvedge/kit';
import type { GRPCAction } from '@selvedge/kube/types';

import { failure, maxOutputBytes, success, type Outcome } from './outcome.ts';
import { hostOf } from './port.ts';
import { hostPort } from './socket-words.ts';
import type { ProbeTarget } from './types.ts';

/** Source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md, `grpc.health.v1`. */
const path = '/grpc.health.v1.Health/Check';
const states = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;
const ok = '0';
const unimplemented = '12';
const prefixBytes = 5;

interface Answer {
  readonly status: string;
  readonly message: string;
  readonly body: Buffer;
}

/** `HealthCheckRequest{service}` in a gRPC frame. */
function encodeRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const length: number[] = [];
  for (let rest = name.byteLength; ; rest >>>= 7) {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) break;
  }
  const message = service === '' ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, ...length]), name]);
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([prefix, message]);
}

/** The `status` of a `HealthCheckResponse` in a gRPC frame; 0 is left out on the wire. */
function decodeState(body: Buffer): string {
  const [tag, value = 0] = body.subarray(prefixBytes);
  const state = tag === 0x08 ? value : 0;
  return states[state] ?? String(state);
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function ask(session: ClientHttp2Session, service: string, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      'user-agent': 'kube-probe/1.36',
      te: 'trailers',
    });
    let headers: IncomingHttpHeaders = {};
    let body = Buffer.alloc(0);
    session.once('error', reject);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    stream.on('error', reject);
    stream.once('response', (first) => (headers = { ...headers, ...first }));
    stream.once('trailers', (last) => (headers = { ...headers, ...last }));
    stream.on('data', (chunk: Buffer) => {
      body = Buffer.concat([body, chunk]).subarray(0, maxOutputBytes);
    });
    stream.once('close', () => {
      const { 'grpc-status': status = 'missing', 'grpc-message': text = '' } = headers;
      resolve({ status: [status].flat().join(), message: percentDecoded([text].flat().join()), body });
    });
    stream.end(encodeRequest(service));
  });
}

function judge({ status, message, body }: Answer): Outcome {
  if (status === unimplemented) {
    const text = 'error: this server does not implement the grpc health protocol (grpc.health.v1.Health)';
    return failure(`${text}: ${message}`);
  }
  if (status !== ok) {
    return failure(`error: health rpc probe failed: rpc error: code = ${status} desc = ${message}`);
  }
  const state = decodeState(body);
  return state === 'SERVING' ? success : failure(`service unhealthy (responded with "${state}")`);
}

/** Whether the gRPC health service says `SERVING`, without TLS. */
export async function checkGrpc(
  action: GRPCAction,
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<Outcome> {
  const address = hostPort(hostOf(undefined, target), action.port);
  const session = connect(`http://${address}`);
  session.on('error', () => undefined);
  try {
    return judge(await ask(session, action.service ?? '', signal));
  } catch (error) {
    const why = hasCode(error, 'DeadlineExceeded')
      ? `timeout: failed to connect service "${address}" within the probe's timeout: context deadline exceeded`
      : `error: failed to connect service at "${address}": ${messageOf(error)}`;
    return failure(why);
  } finally {
    session.destroy();
  }
}
