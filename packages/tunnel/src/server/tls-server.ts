import { AsyncLocalStorage } from 'node:async_hooks';
import { constants } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { TunnelCredentials } from '../types.ts';

export interface TlsServerOptions {
  /** What clients may choose from (ALPN), the best first. */
  readonly protocols: readonly string[];
  readonly credentials: () => TunnelCredentials;
}

export interface TlsServerDeps<T> {
  readonly onSecure: (socket: TLSSocket, subject: T) => void;
  readonly onFailed: (error: Error, subject: T) => void;
}

const options = {
  minVersion: 'TLSv1.3',
  // Who comes without a certificate may ask for an upgrade; only who is `authorized` gets a session.
  requestCert: true,
  rejectUnauthorized: false,
  // A connection that is resumed would be accepted on the strength of an old look at its certificate.
  secureOptions: constants.SSL_OP_NO_TICKET,
} as const;

/** The server's end of TLS on streams that others accepted; its certificate follows `credentials`. */
export class TlsServer<T extends object> {
  readonly #server: Server;
  readonly #credentials: () => TunnelCredentials;
  /** Node's TLS server does not say on which stream it speaks: so each is taken in a context of its own. */
  readonly #subjects = new AsyncLocalStorage<T>();
  #last: TunnelCredentials | undefined;

  constructor({ protocols, credentials }: TlsServerOptions, deps: TlsServerDeps<T>) {
    this.#credentials = credentials;
    this.#server = createServer({ ...options, ALPNProtocols: [...protocols] });
    this.#server.on('secureConnection', (socket) => {
      socket.on('error', () => undefined);
      const subject = this.#subjects.getStore();
      if (subject === undefined) socket.destroy();
      else deps.onSecure(socket, subject);
    });
    this.#server.on('tlsClientError', (error, socket) => {
      const subject = this.#subjects.getStore();
      socket.destroy();
      if (subject !== undefined) deps.onFailed(error, subject);
    });
  }

  /** Takes a stream over. `subject` comes back with whatever becomes of it. */
  accept(stream: Duplex, subject: T): void {
    const credentials = this.#credentials();
    if (credentials !== this.#last) {
      const { certificate: cert, privateKey: key, certificateAuthority: ca } = credentials;
      this.#server.setSecureContext({ ...options, cert, key, ca });
      this.#last = credentials;
    }
    this.#subjects.run(subject, () => this.#server.emit('connection', stream));
  }
}
