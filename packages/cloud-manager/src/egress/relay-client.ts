import { type IncomingMessage, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Clock, SelvedgeError, raceAbort, withDeadline } from '@selvedge/kit';
import { broken, connectTcp, secure } from '@selvedge/kit/net';
import { type Target, formatTarget } from '@selvedge/tunnel';
import type { Pem } from '../serving/index.ts';
import { answeredHeader, codeOfStatus, relayHeader } from './answers.ts';

export interface RelayRequest {
  /** `host:port` of the other server's egress. */
  readonly address: string;
  /** Whose session is to be used there. */
  readonly node: string;
  readonly target: Target;
  readonly signal: AbortSignal;
}

export interface RelayDeps {
  /** What this server proves itself with; its client CA has signed the other server's certificate too. */
  readonly pem: () => Pem;
  /** The name that the other server's certificate carries. Default: the address's host. */
  readonly serverName?: string | undefined;
  readonly clock: Clock;
}

const timeouts = { dialMs: 3_000, handshakeMs: 5_000, answerMs: 16_000 };

async function connect(
  address: string,
  { pem, serverName, clock }: RelayDeps,
  signal: AbortSignal,
): Promise<Duplex> {
  const url = new URL(`https://${address}`);
  const socket = await connectTcp({ url, dialMs: timeouts.dialMs, allowHalfOpen: true }, clock, signal);
  const { certificate, privateKey, clientCa } = pem();
  const trust = { certificateAuthority: clientCa, clientCertificate: { certificate, privateKey } };
  const { handshakeMs } = timeouts;
  const options = { url, handshakeMs, trust, serverName, protocols: ['http/1.1'] };
  return secure(options, { clock, socket }, signal);
}

async function ask(stream: Duplex, { address, node, target }: RelayRequest): Promise<void> {
  const authority = formatTarget(target);
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const asking = request({
    method: 'CONNECT',
    path: authority,
    headers: { host: authority, [relayHeader]: node },
    createConnection: () => stream,
  });
  asking.once('connect', (answer, _stream, head) => {
    if (head.length > 0) stream.unshift(head);
    resolve(answer);
  });
  asking.on('error', (error) => reject(broken(address, error)));
  asking.once('close', () => reject(broken(address)));
  asking.end();
  const { statusCode = 0, statusMessage = '', headers } = await promise;
  if (statusCode === 200) return;
  throw new SelvedgeError(`the server ${address} answered: ${statusMessage}`, {
    code: codeOfStatus(statusCode),
    details: headers[answeredHeader] === undefined ? {} : { status: statusCode },
  });
}

/**
 * A stream to a node through a session of another server, one hop away. Rejects with what that server, the system or the
 * clock says; with `details.status` if it is the node's own answer.
 */
export async function openRelayed(relay: RelayRequest, deps: RelayDeps): Promise<Duplex> {
  const { address, signal } = relay;
  const stream = await connect(address, deps, signal);
  const wait = { what: `the answer of the server ${address}`, timeoutMs: timeouts.answerMs, signal };
  try {
    await withDeadline(wait, deps.clock, (inner) => raceAbort(ask(stream, relay), inner));
    return stream;
  } catch (error) {
    stream.destroy();
    throw error;
  }
}
