import type { Duplex } from 'node:stream';
import { type Clock, SelvedgeError } from '@selvedge/kit';
import { type ConnectAnswer, askConnect, connectTcp, secure } from '@selvedge/kit/net';
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

function refusalOf(address: string, { status, reason, headers }: ConnectAnswer): SelvedgeError {
  return new SelvedgeError(`the server ${address} answered: ${reason}`, {
    code: codeOfStatus(status),
    details: headers[answeredHeader] === undefined ? {} : { status },
  });
}

/**
 * A stream to a node through a session of another server, one hop away. Rejects with what that server, the system or the
 * clock says; with `details.status` if it is the node's own answer.
 */
export async function openRelayed(relay: RelayRequest, deps: RelayDeps): Promise<Duplex> {
  const { address, node, target, signal } = relay;
  const stream = await connect(address, deps, signal);
  const asked = {
    peer: `the server ${address}`,
    authority: formatTarget(target),
    headers: { [relayHeader]: node },
    timeoutMs: timeouts.answerMs,
  };
  try {
    const answer = await askConnect(stream, asked, { ...deps, signal });
    if (answer.status === 200) return stream;
    throw refusalOf(address, answer);
  } catch (error) {
    stream.destroy();
    throw error;
  }
}
