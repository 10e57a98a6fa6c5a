import type { Socket } from 'node:net';
import { type Server, type TLSSocket, createServer } from 'node:tls';
import { type Counter, type Logger, SelvedgeError } from '@selvedge/kit';

/** A server's own certificate with its chain, and the key, PEM. */
export interface ServingPair {
  readonly certificate: string;
  readonly key: string;
}

/** The certificate now, undefined before the first, and when it changes. */
export interface ServingSource {
  readonly serving: ServingPair | undefined;
  onChange(changed: () => void): Disposable;
}

export interface SecureOptions {
  /** The HTTP versions offered, the preferred one first. */
  readonly protocols: readonly string[];
  /** For a handshake. */
  readonly handshakeMs: number;
}

export interface SecureDeps {
  readonly pki: ServingSource;
  /** Whose client certificates are taken, PEM; asked at each connection. */
  readonly clusterCa: () => string;
  readonly log: Logger;
  /** Counts handshakes that failed. */
  readonly failures: Counter;
}

/** TLS on connections that others have accepted. */
export interface Secure extends Disposable {
  take(socket: Socket): void;
}

/** Is told the CA that the client's certificate was verified against. */
export type Secured = (socket: TLSSocket, clusterCa: string) => void;

/**
 * TLS 1.2 and later. A client certificate is asked for and not insisted on: clients with tokens have none. The server's own
 * certificate and the cluster's CA are replaced between two connections. Throws `Internal` if there is no certificate yet.
 */
export function createSecure(options: SecureOptions, deps: SecureDeps, secured: Secured): Secure {
  const { pki, clusterCa, log, failures } = deps;
  let ca = clusterCa();
  const contextNow = (): { cert: string; key: string; ca: string; minVersion: 'TLSv1.2' } => {
    if (pki.serving === undefined) {
      throw new SelvedgeError('there is no serving certificate', { code: 'Internal' });
    }
    return { cert: pki.serving.certificate, key: pki.serving.key, ca, minVersion: 'TLSv1.2' };
  };
  const server: Server = createServer(
    {
      ...contextNow(),
      ALPNProtocols: [...options.protocols],
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: options.handshakeMs,
    },
    (socket) => {
      socket.on('error', () => undefined);
      secured(socket, ca);
    },
  );
  server.on('tlsClientError', (error, socket) => {
    failures.add();
    log.debug('TLS handshake failed', { remoteAddress: socket.remoteAddress, error });
    socket.destroy();
  });
  const changed = pki.onChange(() => server.setSecureContext(contextNow()));
  return {
    take(socket) {
      const current = clusterCa();
      if (current !== ca) {
        ca = current;
        server.setSecureContext(contextNow());
      }
      server.emit('connection', socket);
    },
    [Symbol.dispose]: () => changed[Symbol.dispose](),
  };
}
