import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { namesOf, protocolOf, type Protocol } from '../protocol/versions.ts';
import type { Carrier, TunnelCredentials } from '../types.ts';
import { Handshakes, type Handshake, type HandshakesDeps, type HandshakesOptions } from './handshakes.ts';
import { TlsServer } from './tls-server.ts';
import type { Entry, Identity } from './types.ts';
import { createUpgrades } from './upgrades.ts';

export interface GateDeps extends HandshakesDeps {
  readonly credentials: () => TunnelCredentials;
  readonly identify: (certificate: X509Certificate) => Identity;
  readonly onProved: (proved: Proved) => void;
}

/** A connection of someone who has proved who it is. */
export interface Proved {
  readonly socket: TLSSocket;
  /** As of now: a ban may come while the handshake goes on. */
  readonly identify: () => Identity;
  /** When its certificate ends, in milliseconds since the Unix epoch. */
  readonly expiresMs: number;
  readonly protocol: Protocol;
  readonly carrier: Carrier;
  /** Not done yet: that is for the first answer in HTTP/2. */
  readonly handshake: Handshake;
}

/**
 * Takes connections as far as to who they are: direct TLS and, for `http/1.1`, the same TLS inside a WebSocket. Who names no
 * protocol means HTTP too: balancers such as nginx send no ALPN to what is behind them.
 */
export interface Gate {
  /** Connections that have not proved who they are. */
  readonly pending: number;
  accept(socket: Socket, entry: Entry): void;
  close(): Promise<void>;
}

const onFailed = (error: Error, handshake: Handshake): void => handshake.fail('tls', error.message);

export function createGate(options: HandshakesOptions, deps: GateDeps): Gate {
  const handshakes = new Handshakes(options, deps);
  const { credentials } = deps;
  const admit = (socket: TLSSocket, handshake: Handshake, carrier: Carrier): void => {
    const protocol = protocolOf(socket.alpnProtocol);
    const certificate = socket.getPeerX509Certificate();
    if (protocol === undefined) handshake.fail('protocol');
    else if (certificate === undefined) handshake.fail('untrusted', 'no certificate');
    else if (!socket.authorized) handshake.fail('untrusted', String(socket.authorizationError));
    else {
      const identify = (): Identity => deps.identify(certificate);
      const expiresMs = certificate.validToDate.getTime();
      deps.onProved({ socket, identify, expiresMs, protocol, carrier, handshake });
    }
  };
  const ours = [...namesOf('reverse'), ...namesOf('forward')];
  const inner = new TlsServer<Handshake>(
    { protocols: ours, credentials },
    { onSecure: (socket, handshake) => admit(socket, handshake, 'websocket'), onFailed },
  );
  const upgrades = createUpgrades<Handshake>({
    onUpgraded: (stream, handshake) => inner.accept(stream, handshake),
    onRefused: (handshake) => handshake.fail('protocol'),
  });
  const outer = new TlsServer<Handshake>(
    { protocols: [...ours, 'http/1.1'], credentials },
    {
      onSecure: (socket, handshake) => {
        if (protocolOf(socket.alpnProtocol) !== undefined) admit(socket, handshake, 'tls');
        else upgrades.accept(socket, handshake);
      },
      onFailed,
    },
  );
  return {
    get pending() {
      return handshakes.size;
    },
    accept(socket, entry) {
      socket.on('error', () => undefined);
      socket.setNoDelay(true);
      const handshake = handshakes.begin(socket);
      if (entry === 'http') upgrades.accept(socket, handshake);
      else outer.accept(socket, handshake);
    },
    close: () => handshakes.close(),
  };
}
