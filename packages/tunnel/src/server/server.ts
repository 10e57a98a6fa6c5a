import { SelvedgeError } from '@selvedge/kit';
import type { TunnelServer, TunnelServerDeps, TunnelServerOptions } from './types.ts';

/** The server's end of the tunnel. Does no I/O before it is started or given a socket. */
export function createTunnelServer(_options: TunnelServerOptions, _deps: TunnelServerDeps): TunnelServer {
  throw new SelvedgeError('the tunnel server is not written yet', { code: 'Unsupported' });
}
