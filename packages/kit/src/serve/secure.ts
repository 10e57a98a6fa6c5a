import type { Socket } from 'node:net';
import { type SecureContextOptions, type Server, type TLSSocket, createServer } from 'node:tls';
import { type Counter, type Logger, SelvedgeError } from '../index.ts';

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

export type ClientCertificate = 'optional' | 'required';

export interface SecureOptions {
  /** The HTTP versions offered, the preferred one first. */
  readonly protocols: readonly string[];
  /** `required`: the handshake fails without a certificate of the CA. `optional`: who serves judges. Default `optional`. */
  readonly clientCertificate?: ClientCertificate;
  /** For a handshake. */
  readonly handshakeMs: number;
}

export interface SecureDeps {
  readonly pki: ServingSource;
  /** Whose client certificates are taken, PEM; asked at each connection. Undefined: none is asked for. */
  readonly clientCa: () => string | undefined;
  readonly log: Logger;
  /** Counts handshakes that failed. */
  readonly failures: Counter;
}

/** TLS on connections that others have accepted. */
export interface Secure extends Disposable {
  take(socket: Socket): void;
}

/** Is told the CA that the client's certificate was verified against; empty: it was not asked for one. */
export type Secured = (socket: TLSSocket, clientCa: string) => void;

/**
 * TLS 1.2 and later. The server's own certificate and the clients' CA are replaced between two connections. Throws `Internal`
 * if there is no certificate yet.
 */
export function createSecure(options: SecureOptions, deps: SecureDeps, secured: Secured): Secure {
  const { pki, clientCa, log, failures } = deps;
  let ca = clientCa();
  const contextNow = (): SecureContextOptions => {
    if (pki.serving === undefined) {
      throw new SelvedgeError('there is no serving certificate', { code: 'Internal' });
    }
    const { certificate: cert, key } = pki.serving;
    return { cert, key, minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) };
  };
  const newServer = (): Server => {
    const authority = ca ?? '';
    const one = createServer(
      {
        ...contextNow(),
        ALPNProtocols: [...options.protocols],
        requestCert: ca !== undefined,
        rejectUnauthorized: options.clientCertificate === 'required',
        handshakeTimeout: options.handshakeMs,
      },
      (socket) => {
        socket.on('error', () => undefined);
        secured(socket, authority);
      },
    );
    return one.on('tlsClientError', (error, socket) => {
      failures.add();
      log.debug('TLS handshake failed', { remoteAddress: socket.remoteAddress, error });
      socket.destroy();
    });
  };
  let server = newServer();
  const changed = pki.onChange(() => server.setSecureContext(contextNow()));
  return {
    take(socket) {
      const current = clientCa();
      if (current !== ca) {
        ca = current;
        // It listens on nothing, and what it asks of clients is settled when it is made.
        server = newServer();
      }
      server.emit('connection', socket);
    },
    [Symbol.dispose]: () => changed[Symbol.dispose](),
  };
}
