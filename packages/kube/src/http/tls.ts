import { isIP, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { withDeadline, type Clock } from '@selvedge/kit';
import type { Credentials } from '../credentials.ts';
import { established, hostOf } from './tcp.ts';

export interface TlsOptions {
  readonly url: URL;
  readonly handshakeMs: number;
  readonly trust: Pick<Credentials, 'certificateAuthority' | 'clientCertificate'>;
  /** The name that the certificate must carry, if it is not the URL's host. */
  readonly serverName?: string | undefined;
  readonly protocols: readonly string[];
}

function tlsSocket({ url, trust, serverName, protocols }: TlsOptions, socket: Socket): TLSSocket {
  const host = hostOf(url);
  const { certificateAuthority: ca, clientCertificate: pair } = trust;
  const tls = connect({
    socket,
    host,
    servername: serverName ?? (isIP(host) === 0 ? host : ''),
    ...(ca === undefined ? {} : { ca }),
    ...(pair === undefined ? {} : { cert: pair.certificate, key: pair.privateKey }),
    ALPNProtocols: [...protocols],
    minVersion: 'TLSv1.2',
  });
  tls.on('error', () => undefined);
  return tls;
}

/**
 * A reset that comes with the end of the handshake is lost, and the connection hangs, when an HTTP/2 session takes the
 * socket over in the same turn of the event loop (seen with Node 24.21). One turn later it is an error of the socket.
 */
async function settled(socket: Socket, url: URL, signal: AbortSignal): Promise<void> {
  await setImmediate();
  if (signal.aborted) socket.destroy();
  if (socket.destroyed) throw new Error(`${url.host} closed the connection after the handshake`);
}

/** TLS over a connected socket, the server's certificate verified. Rejects as TLS says, or with `DeadlineExceeded`. */
export function secure(
  options: TlsOptions,
  deps: { readonly clock: Clock; readonly socket: Socket },
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
