import type { Socket } from 'node:net';
import { type Server, type TLSSocket, createServer } from 'node:tls';
import { type Logger, type MetricsRegistry, SelvedgeError } from '@selvedge/kit';
import type { HubPki } from '../pki/index.ts';
import { type Link, linkOf } from './link.ts';
import type { EndpointLimits } from './limits.ts';

export interface SecureDeps {
  readonly pki: Pick<HubPki, 'serving' | 'onChange'>;
  /** Whose client certificates are taken, PEM; asked at each connection. */
  readonly clusterCa: () => string;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

/** TLS on connections that others have accepted. */
export interface Secure extends Disposable {
  take(socket: Socket): void;
}

type Secured = (socket: TLSSocket, link: Link) => void;

/**
 * TLS 1.2 and later. A client certificate is asked for and not insisted on: clients with tokens have none. The hub's own
 * certificate and the cluster's CA are replaced between two connections.
 */
export function createSecure(
  limits: Pick<EndpointLimits, 'handshakeMs'>,
  deps: SecureDeps,
  secured: Secured,
): Secure {
  const { pki, clusterCa, log, metrics } = deps;
  let ca = clusterCa();
  const failures = metrics.counter({
    name: 'selvedge_hub_handshake_failures_total',
    help: 'TLS handshakes of local clients that failed.',
  });
  const contextNow = (): { cert: string; key: string; ca: string; minVersion: 'TLSv1.2' } => {
    if (pki.serving === undefined)
      throw new SelvedgeError('the hub has no certificate', { code: 'Internal' });
    return { cert: pki.serving.certificate, key: pki.serving.key, ca, minVersion: 'TLSv1.2' };
  };
  const server: Server = createServer(
    {
      ...contextNow(),
      ALPNProtocols: ['h2', 'http/1.1'],
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: limits.handshakeMs,
    },
    (socket) => {
      socket.on('error', () => undefined);
      secured(socket, linkOf(socket, ca));
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
