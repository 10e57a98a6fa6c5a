import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { SelvedgeError, type Clock } from '@selvedge/kit';
import { dial, secure, type HttpProxy, type SocketServices, type TlsTrust } from '@selvedge/kit/net';
import { BothWays } from '../carrier/both-ways.ts';
import { namesOf, protocolOf, webSocketPath, type Protocol } from '../protocol/versions.ts';
import { remoteOf } from '../session/remote.ts';
import type { Carrier, Direction, TunnelCredentials } from '../types.ts';
import type { AgentTimeouts, TunnelServerAddress } from './types.ts';
import { openWebSocket } from './web-socket.ts';

export interface Road extends SocketServices {
  readonly server: TunnelServerAddress;
  readonly direction: Direction;
  readonly carrier: Carrier;
  readonly credentials: TunnelCredentials;
  readonly proxy: HttpProxy | undefined;
  readonly timeouts: AgentTimeouts;
}

/** A connection over which both ends have proved who they are. The server may still refuse. */
export interface Connected {
  readonly socket: TLSSocket;
  readonly protocol: Protocol;
  /** What waits under TLS because the server does not read. */
  readonly unsentBytes: () => number;
  /** Where its TCP connection went, if it has one of its own. */
  readonly remote: string | undefined;
}

/** The server's `host:port` as a URL, checked. Throws `Invalid`. */
export function parseAddress({ address }: TunnelServerAddress): URL {
  const url = URL.canParse(`https://${address}`) ? new URL(`https://${address}`) : undefined;
  if (url !== undefined && url.href === `https://${url.host}/` && url.host !== '') return url;
  throw new SelvedgeError(`${address} is not host:port`, { code: 'Invalid' });
}

/** Where the WebSocket goes, checked. Throws `Invalid`. */
export function parseWebSocketUrl(server: TunnelServerAddress): URL {
  const text = server.webSocketUrl ?? `wss://${parseAddress(server).host}${webSocketPath}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && ['ws:', 'wss:'].includes(url.protocol) && url.username === '') return url;
  throw new SelvedgeError(`${text} is not a ws or wss URL without a user`, { code: 'Invalid' });
}

function outerTrust({ server, credentials }: Road): TlsTrust {
  const authority = server.webSocketAuthority ?? credentials.certificateAuthority;
  return authority === 'system' ? {} : { certificateAuthority: authority };
}

/** The bytes of a WebSocket to the server. */
async function viaWebSocket(road: Road, clock: Clock, signal: AbortSignal): Promise<Duplex> {
  const url = parseWebSocketUrl(road.server);
  // For a dial a WebSocket's URL is that of its HTTP request.
  const http = new URL(url.href.replace(/^ws/, 'http'));
  const options = { ...road, url: http, trust: outerTrust(road), protocols: ['http/1.1'] };
  const { socket } = await dial(options, clock, signal);
  return openWebSocket({ url, handshakeMs: road.timeouts.handshakeMs }, { clock, socket }, signal);
}

const unknownVersions = (host: string, cause?: unknown): SelvedgeError =>
  new SelvedgeError(`${host} speaks no version of the tunnel that is known here`, {
    code: 'Unsupported',
    cause,
  });

/** Whether it is, or comes from, the alert of a server that knows no name which it was offered. Source: RFC 7301 section 3.2. */
const isNoProtocol = (error: unknown): boolean =>
  error instanceof Error &&
  ((error as NodeJS.ErrnoException).code === 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL' ||
    isNoProtocol(error.cause));

/**
 * Connects to the server; over either carrier the same TLS with the same two certificates. Rejects as `dial`, and with
 * `Unsupported` where the two know no version in common.
 */
export async function connectServer(road: Road, clock: Clock, signal: AbortSignal): Promise<Connected> {
  const { server, credentials, direction, timeouts } = road;
  const url = parseAddress(server);
  const tls = {
    url,
    trust: { certificateAuthority: credentials.certificateAuthority, clientCertificate: credentials },
    serverName: server.serverName,
    protocols: namesOf(direction),
    minVersion: 'TLSv1.3',
  } as const;
  let bytes: BothWays | undefined;
  let remote: string | undefined;
  const under = (carrier: Duplex): BothWays => {
    remote = carrier instanceof Socket ? remoteOf(carrier) : undefined;
    bytes = new BothWays(carrier);
    return bytes;
  };
  const carried = async (): Promise<Duplex> => {
    if (road.carrier === 'tls') return (await dial({ ...road, ...tls, under }, clock, signal)).socket;
    const socket = under(await viaWebSocket(road, clock, signal));
    return secure({ ...tls, handshakeMs: timeouts.handshakeMs }, { clock, socket }, signal);
  };
  const connected = (await carried().catch((error: unknown) => {
    throw isNoProtocol(error) ? unknownVersions(url.host, error) : error;
  })) as TLSSocket;
  const protocol = protocolOf(connected.alpnProtocol);
  const unsentBytes = (): number => bytes?.unsentBytes ?? 0;
  if (protocol !== undefined) return { socket: connected, protocol, unsentBytes, remote };
  connected.destroy();
  throw unknownVersions(url.host);
}
