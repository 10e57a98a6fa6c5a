import { Socket, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import type { Clock } from '../clock.ts';
import { withDeadline } from '../scope.ts';
import { resetBy } from './break-off.ts';
import { established, hostOf } from './tcp.ts';

/** Who the client is and whom it trusts. All PEM. */
export interface TlsTrust {
  /** The authorities that may have signed the server's certificate. Absent: the system's. */
  readonly certificateAuthority?: string | undefined;
  readonly clientCertificate?: { readonly certificate: string; readonly privateKey: string } | undefined;
}

export interface TlsOptions {
  readonly url: URL;
  readonly handshakeMs: number;
  readonly trust: TlsTrust;
  /** The name that the certificate must carry, if it is not the URL's host. */
  readonly serverName?: string | undefined;
  /** What the server may choose from (ALPN), the best first. */
  readonly protocols: readonly string[];
  /** Default `TLSv1.2`. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
}

function tlsSocket(options: TlsOptions, socket: Duplex): TLSSocket {
  const { url, trust, serverName, protocols, minVersion = 'TLSv1.2' } = options;
  const host = hostOf(url);
  const { certificateAuthority: ca, clientCertificate: pair } = trust;
  const tls = connect({
    socket,
    host,
    servername: serverName ?? (isIP(host) === 0 ? host : ''),
    ...(ca === undefined ? {} : { ca }),
    ...(pair === undefined ? {} : { cert: pair.certificate, key: pair.privateKey }),
    ALPNProtocols: [...protocols],
    minVersion,
  });
  tls.on('error', () => undefined);
  if (socket instanceof Socket) resetBy(tls, socket);
  return tls;
}

/**
 * A reset that comes with the end of the handshake is lost, and the connection hangs, when an HTTP/2 session takes the
 * socket over in the same turn of the event loop (seen with Node 24.21). One turn later it is an error of the socket.
 */
async function settled(socket: TLSSocket, url: URL, signal: AbortSignal): Promise<void> {
  await setImmediate();
  if (signal.aborted) socket.destroy();
  if (socket.destroyed) throw new Error(`${url.host} closed the connection after the handshake`);
}

/** TLS over a connected socket, or over any stream that carries bytes, the server's certificate verified. Rejects as TLS says, or with `DeadlineExceeded`. */
export function secure(
  options: TlsOptions,
  deps: { readonly clock: Clock; readonly socket: Duplex },
  signal: AbortSignal,
): Promise<TLSSocket> {
  const { url, handshakeMs } = options;
  const what = `TLS handshake with ${url.host}`;
  return withDeadline({ what, timeoutMs: handshakeMs, signal }, deps.clock, async (inner) => {
    const tls = tlsSocket(options, deps.socket);
    await established(tls, 'secureConnect', inner);
    await settled(tls, url, inner);
    return tls;
  });
}
